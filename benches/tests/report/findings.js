// Asks the browser about each page in a frame of its own width, and writes what it says into the
// document, from where --dump-dom prints it.
addEventListener('load', () => {
  const pages = [...document.querySelectorAll('iframe')].map(frame => {
    const doc = frame.contentDocument, win = frame.contentWindow, wrong = [];
    const root = doc.documentElement;
    if (root.scrollWidth > win.innerWidth) wrong.push(`the page is ${root.scrollWidth} wide`);
    const shown = [...doc.querySelectorAll('svg')].filter(svg => svg.getClientRects().length);
    const plots = shown.map(svg => {
      const view = svg.viewBox.baseVal, name = svg.closest('[id]')?.id ?? '?';
      const scale = svg.getBoundingClientRect().width / view.width;
      const size = 14 * scale;
      if (size < 11) wrong.push(`${name}: text of ${size} px`);
      const texts = [...svg.querySelectorAll('text')].map(text => {
        const at = text.getBBox(), [x, y, width, height] = text.dataset.box.split(' ').map(Number);
        const inside = (of, slack) => at.x >= of.x - slack && at.y >= of.y - slack &&
          at.x + at.width <= of.x + of.width + slack && at.y + at.height <= of.y + of.height + slack;
        if (!text.textContent || !at.width) wrong.push(`${name}: an empty text`);
        if (!inside(view, 0.5)) wrong.push(`${name}: "${text.textContent}" leaves the drawing`);
        if (!inside({ x, y, width, height }, 1)) wrong.push(`${name}: "${text.textContent}" leaves its box`);
        return { at, text: text.textContent };
      });
      texts.forEach((a, i) => texts.slice(i + 1).forEach(b => {
        const apart = a.at.x + a.at.width <= b.at.x || b.at.x + b.at.width <= a.at.x ||
          a.at.y + a.at.height <= b.at.y + 3 || b.at.y + b.at.height <= a.at.y + 3;
        if (!apart) wrong.push(`${name}: "${a.text}" lies over "${b.text}"`);
      }));
      for (const line of svg.querySelectorAll('path, rect')) {
        const at = line.getBBox();
        if (at.x < view.x - 1 || at.y < view.y - 1 || at.x + at.width > view.width + 1 ||
            at.y + at.height > view.height + 1) wrong.push(`${name}: a line leaves the drawing`);
      }
      return name;
    });
    const asked = win.performance.getEntriesByType('resource').map(entry => entry.name);
    return { width: win.innerWidth, plots, wrong, asked, text: doc.body.innerText.length };
  });
  const said = JSON.stringify(pages).replace(/[<>&]/g, c => '\\u00' + c.charCodeAt(0).toString(16));
  document.getElementById('findings').textContent = said;
});
