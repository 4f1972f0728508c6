//! The page as a browser sees it.

use benches::report::{Material, figures, page};

use crate::costs::costs;
use crate::findings::{Findings, WIDTHS, of};
use crate::synthetic::{FASTER, MIXED, NOISY, records};
use crate::verdict::material;

fn check(material: &Material, what: &str) {
    let expected: Vec<String> =
        figures::all(material).into_iter().map(|figure| figure.key).collect();
    let findings = of(&page::of(material));
    assert_eq!(findings.iter().map(|one| one.width).collect::<Vec<_>>(), WIDTHS);
    for Findings { width, plots, wrong, asked, text } in findings {
        assert!(wrong.is_empty(), "{what}, {width} wide:\n{}", wrong.join("\n"));
        assert_eq!(plots, expected, "{what}, {width} wide");
        assert!(asked.is_empty(), "{asked:?}");
        assert!(text > 1000 || expected.is_empty(), "{what}: {text} characters");
    }
}

pub fn the_page_is_whole_at_every_width() {
    let all = material(records(MIXED)).with_costs(Some(costs()));
    assert_eq!(figures::all(&all).len(), 20);
    check(&all, "mixed");
    check(&material(records(FASTER)), "all the same figure");
    check(&Material::of(Vec::new(), Vec::new(), &[]), "empty");

    // Figures without measure, names without end, one size only, and nothing that counts.
    let mut odd = records(NOISY);
    for (at, record) in odd.iter_mut().enumerate() {
        let wild = 10_f64.powi(at as i32 % 9 - 4);
        record.measured.ratio = crate::synthetic::spread([0.3, 1.0, 4.0].map(|share| share * wild));
        record.measured.time =
            crate::synthetic::spread([0.3, 1.0, 4.0].map(|share| share * wild * 1e6));
        record.measured.unsettled = 80;
        record.measured.reference = format!("{}, without end", record.measured.reference.repeat(9));
        if record.id.group.starts_with("message") {
            record.id.function = format!("{} {}", record.id.function, "name".repeat(20));
        }
    }
    odd.retain(|record| record.id.value == "65536" || record.run.bench != "read_vs_mmap");
    check(&material(odd), "odd");
}

/// The wrong twin of the page: is what the test looks for found?
pub fn the_check_sees_what_is_wrong() {
    let page = page::of(&material(records(MIXED)));
    let wrong = |page: &str| of(page).into_iter().flat_map(|one| one.wrong).collect::<Vec<_>>();
    let found = |page: &str, part: &str| {
        let wrong = wrong(page);
        assert!(wrong.iter().any(|one| one.contains(part)), "{part}: {wrong:?}");
    };
    found(&page.replace("font-size=\"14\"", "font-size=\"28\""), "leaves its box");
    found(&page.replace("<main>", "<main style=\"width:4000px;max-width:none\">"), "the page is 4");
    found(&page.replace("text-anchor=\"middle\"", "text-anchor=\"end\""), "leaves its box");
}
