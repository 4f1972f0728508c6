//! The files: written beside and renamed, so that nobody sees half of one.

use std::fs;
use std::path::{Path, PathBuf};

use benches::report::figures::Figure;
use benches::report::plot::Room;
use benches::report::{Material, Verdict, markdown, notes, page};
use ipc_common::cli::Failure;
use ipc_common::{Errno, Error};

const CHAPTER: &str = "read-write-against-mmap.md";
/// Beside the chapter.
const PLOTS: &str = "benchmarks";

/// Writes the page, the plots and the table. Where the page is.
pub fn page(material: &Material, figures: &[Figure], folder: &Path) -> Result<PathBuf, Failure> {
    plots(figures, folder)?;
    write(&folder.join("report.md"), &markdown::whole(material, figures))?;
    let path = folder.join("index.html");
    write(&path, &page::of(material))?;
    Ok(std::path::absolute(&path).unwrap_or(path))
}

/// Renews what the report has to say in the notes.
pub fn notes(
    material: &Material,
    figures: &[Figure],
    folder: Option<&Path>,
) -> Result<(), Failure> {
    let chapters = match folder {
        Some(folder) => folder.to_owned(),
        None => package().join("../slides-notes/chapters"),
    };
    let path = chapters.join(CHAPTER);
    let chapter = fs::read_to_string(&path).map_err(|error| failed("open", &error, &path))?;
    let verdict = Verdict::of(material);
    let links = format!("{PLOTS}/");
    let parts = [
        ("ground", markdown::ground(material)),
        ("verdict", markdown::verdict(&verdict)),
        ("table", markdown::table(&verdict)),
        ("plots", markdown::scenes(material, &verdict, figures, &links)),
        ("costs", markdown::costs(material)),
    ];
    let renewed = parts.into_iter().try_fold(chapter, |chapter, (part, text)| {
        notes::replace(&chapter, part, &text).map_err(|why| no_marks(&path, why))
    })?;
    plots(figures, &chapters.join(PLOTS))?;
    write(&path, &renewed)
}

fn no_marks(path: &Path, why: String) -> Failure {
    let error = Error::refused("report --notes", Errno::EINVAL, path.display().to_string());
    Failure::Error(error.with_remedy(format!("{why}; put it back, and the end of its part")))
}

/// The package's folder: as cargo says, or where it was built.
pub fn package() -> PathBuf {
    let told = std::env::var_os("CARGO_MANIFEST_DIR");
    told.map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from)
}

/// The plots as files.
fn plots(figures: &[Figure], folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(|error| failed("mkdir", &error, folder))?;
    for figure in figures {
        write(&folder.join(format!("{}.svg", figure.key)), &figure.draw(Room::Alone))?;
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let unfinished = path.with_extension(format!("{}.unfinished", std::process::id()));
    let written = fs::write(&unfinished, text).and_then(|()| fs::rename(&unfinished, path));
    written.map_err(|error| {
        let _ = fs::remove_file(&unfinished);
        failed("write", &error, path)
    })
}

fn failed(call: &'static str, error: &std::io::Error, path: &Path) -> Failure {
    Failure::Error(Error::from_io(call, error, path.display().to_string()))
}
