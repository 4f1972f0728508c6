//! Files: by the size, and by how often they are read.

use super::{Figure, Heading, times_as_fast};
use crate::report::gather::Material;
use crate::report::plot::{Lines, Series};
use crate::report::scene::Scene;
use crate::report::show;
use crate::report::why;

/// The groups of [`passes`].
pub const PASSES: &str = "read_vs_mmap many passes, ";

/// The plot of a scene, if it was measured.
pub fn of_scene(material: &Material, scene: &Scene) -> Option<Figure> {
    let cells = material.group(scene.group);
    let against = cells.first()?.record.measured.reference.clone();
    let series = |function: &&str| {
        let mine = cells.iter().filter(|cell| cell.record.id.function == **function);
        let points: Vec<_> = mine.map(|cell| times_as_fast(cell)).collect();
        let mmap = function.starts_with("mmap");
        (!points.is_empty()).then(|| Series { name: (*function).into(), mmap, points })
    };
    let series: Vec<_> = scene.plotted.iter().filter_map(series).collect();
    let described =
        format!("{}: how many times as fast as {against}, by the size of the file", scene.title);
    let varies = "size of the file".into();
    let plot = Lines { against, varies, value: show::short_size, series, described };
    let Scene { key, group, title, what, .. } = *scene;
    Heading { key, title, what, group }.lines(plot)
}

/// How often a mapping must be used.
pub fn passes(material: &Material) -> Option<Figure> {
    let mut groups: Vec<(u64, &str)> = Vec::new();
    for cell in &material.cells {
        let id = &cell.record.id;
        let size =
            cell.record.work.labels.get("bytes in the file").and_then(|size| size.parse().ok());
        if let Some(size) = size
            && id.group.starts_with(PASSES)
            && !groups.contains(&(size, &id.group))
        {
            groups.push((size, &id.group));
        }
    }
    groups.sort_unstable();
    let series = |(size, group): &(u64, &str)| {
        let cells = material.group(group);
        let mine = cells.iter().filter(|cell| cell.record.id.function == "mmap, fresh");
        let points: Vec<_> = mine.map(|cell| times_as_fast(cell)).collect();
        let name = format!("a file of {}", crate::settings::show_size(*size));
        (!points.is_empty()).then_some(Series { name, mmap: true, points })
    };
    let any = material.cells.iter().find(|cell| cell.record.id.group.starts_with(PASSES))?;
    let plot = Lines {
        against: any.record.measured.reference.clone(),
        varies: "passes over the file".into(),
        value: |passes| passes.to_string(),
        series: groups.iter().filter_map(series).collect(),
        described: "Passes: how many times as fast as read, by the number of passes".into(),
    };
    let what = "The file is mapped once and summed so many times; read does all of its calls each \
                time. The faults are paid once, the copies every time.";
    let even = |(size, group): &(u64, &str)| {
        let size = crate::settings::show_size(*size);
        let cells = material.group(group);
        let counts = cells.iter().any(|cell| cell.doubt.is_none());
        match why::break_even(&cells) {
            Some(1) => format!("a file of {size} at once"),
            Some(passes) => format!("a file of {size} from {passes} passes on"),
            None if counts => format!("a file of {size} not, as far as was measured"),
            None => format!("of a file of {size} no figure counts"),
        }
    };
    let all: Vec<_> = groups.iter().map(even).collect();
    let below =
        format!("A mapping that is made for it is faster, by the rule: {}.", all.join("; "));
    let figure =
        Heading { key: "passes", title: "Read many times", what, group: PASSES }.lines(plot)?;
    Some(figure.below(below))
}
