//! The SVG: well-formed, legible without colours, and saved without harm to anything.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use roxmltree::Document;
use testkit::Program;

use crate::map;
use crate::support::{mapped, sparse, store};

fn svg_of(path: &Path) -> String {
    Program::run(&mut map(path, ["--svg", "-"])).ok()
}

fn number(node: &roxmltree::Node<'_, '_>, name: &str) -> f64 {
    node.attribute(name).unwrap_or("0").parse().unwrap()
}

pub fn the_svg_is_well_formed_and_its_text_stays_inside() {
    for pages in [1, 5, 64, 65, 5000, 1 << 30] {
        let (folder, file) = sparse(1);
        nix::unistd::ftruncate(&file, pages * crate::support::page() as i64).unwrap();
        let text = svg_of(&folder.file("pages"));
        let svg = Document::parse(&text).unwrap();
        let root = svg.root_element();
        let (width, height) = (number(&root, "width"), number(&root, "height"));
        for node in svg.descendants().filter(|node| node.has_tag_name("text")) {
            let (x, y, length) =
                (number(&node, "x"), number(&node, "y"), number(&node, "textLength"));
            assert!(x >= 0.0 && y > 0.0 && y < height, "{node:?}");
            assert!(x + length <= width, "{node:?} ends at {}", x + length);
        }
        for node in svg.descendants().filter(|node| node.has_tag_name("rect")) {
            if node.ancestors().any(|above| above.has_tag_name("defs"))
                || node.attribute("x").is_none()
            {
                continue;
            }
            assert!(number(&node, "x") + number(&node, "width") <= width, "{node:?}");
            assert!(number(&node, "y") + number(&node, "height") <= height, "{node:?}");
        }
        assert!(text.len() < 400_000, "{pages} pages make {} bytes", text.len());
    }
}

/// Every letter has one fill, and no two share one: patterns, or at least light and dark.
pub fn the_svg_needs_no_colours() {
    let (folder, file) = sparse(64);
    let mapping = mapped(&file);
    store(&mapping, &[1, 2]);
    mapping.flush(0..mapping.len()).unwrap();
    store(&mapping, &[5]);
    let text = svg_of(&folder.file("pages"));
    let svg = Document::parse(&text).unwrap();
    let mut seen = std::collections::HashMap::new();
    for square in svg.descendants().filter(|node| node.has_tag_name("g")) {
        let letter = square.children().find(|node| node.has_tag_name("text")).unwrap();
        let fill = square.children().filter(|node| node.has_tag_name("rect")).nth(1).unwrap();
        let letter = letter.text().unwrap().to_ascii_lowercase();
        let fill = fill.attribute("fill").unwrap();
        assert_eq!(*seen.entry(letter).or_insert(fill), fill);
        if let Some(id) = fill.strip_prefix("url(#").and_then(|id| id.strip_suffix(')')) {
            assert!(svg.descendants().any(|node| node.attribute("id") == Some(id)), "{id}");
        }
    }
    let fills: std::collections::HashSet<_> = seen.values().collect();
    assert_eq!(fills.len(), seen.len(), "{seen:?}");
    assert!(seen.contains_key(".") && seen.len() >= 2);
}

pub fn a_name_cannot_break_out_of_the_svg() {
    let folder = testkit::folder();
    let name = "</title><script>alert(1)</script> & \"x' ]]> \u{202e}\u{7}\u{1}\n\u{fffe}";
    let path = folder.file(name.split('/').next().unwrap());
    fs::write(&path, "x").unwrap();
    let hostile = folder.file("<script>&\"'\u{202e}\u{7}\n\u{fffe}]]>");
    fs::write(&hostile, "x").unwrap();
    for path in [path, hostile] {
        let text = svg_of(&path);
        let svg = Document::parse(&text).unwrap();
        assert!(!svg.descendants().any(|node| node.has_tag_name("script")), "{text}");
        assert!(
            !text.contains('\u{202e}') && !text.contains('\u{7}') && !text.contains('\u{fffe}')
        );
    }
}

pub fn a_picture_replaces_nothing_unless_told_to() {
    let (folder, _file) = sparse(4);
    let (path, out) = (folder.file("pages"), folder.file("out.svg"));
    let save = |more: &[&str]| Program::run(map(&path, ["--svg"]).arg(&out).args(more));
    save(&[]).ok();
    let first = fs::read_to_string(&out).unwrap();
    Document::parse(&first).unwrap();
    fs::write(&out, "mine").unwrap();
    let refused = save(&[]);
    assert_eq!(refused.code(), Some(1));
    assert!(refused.stderr.contains("EEXIST") && refused.stderr.contains("--force"), "{refused:?}");
    assert_eq!(fs::read(&out).unwrap(), b"mine");
    save(&["--force"]).ok();
    Document::parse(&fs::read_to_string(&out).unwrap()).unwrap();
    // Neither a link nor what it leads to is replaced.
    let precious = folder.file("precious");
    fs::write(&precious, "precious").unwrap();
    fs::remove_file(&out).unwrap();
    symlink(&precious, &out).unwrap();
    assert!(save(&[]).stderr.contains("EEXIST"));
    let refused = save(&["--force"]);
    assert!(refused.stderr.contains("ELOOP"), "{refused:?}");
    assert_eq!(fs::read(&precious).unwrap(), b"precious");
    assert!(fs::symlink_metadata(&out).unwrap().is_symlink());
    // Nor a device: a rename would put a file in its place.
    let device = Program::run(&mut map(&path, ["--force", "--svg", "/dev/null"]));
    assert!(device.stderr.contains("ENODEV"), "{device:?}");
    // The file that is looked at is never taken for the picture.
    let itself = Program::run(map(&path, ["--force", "--svg"]).arg(&path));
    assert_eq!(itself.code(), Some(1));
    assert_eq!(fs::metadata(&path).unwrap().len(), 4 * crate::support::page() as u64);
    let into = Program::run(map(&path, ["--force", "--svg"]).arg(folder.path()));
    assert!(into.stderr.contains("EISDIR"), "{into:?}");
    let mut left: Vec<_> =
        fs::read_dir(folder.path()).unwrap().flatten().map(|entry| entry.file_name()).collect();
    left.sort();
    assert_eq!(left, ["out.svg", "pages", "precious"]);
}

pub fn a_full_disk_leaves_no_half_picture() {
    let disk = testkit::small_tmpfs(8 * 4096);
    let (folder, _file) = sparse(400);
    for force in [&[][..], &["--force"]] {
        let out = disk.path().join("out.svg");
        let full = Program::run(map(&folder.file("pages"), ["--svg"]).arg(&out).args(force));
        assert_eq!(full.code(), Some(1));
        assert!(full.stderr.contains("ENOSPC"), "{full:?}");
        assert_eq!(fs::read_dir(disk.path()).unwrap().count(), 0, "something is left");
    }
}

/// A signal at every step of it in turn. The one that kills leaves no half of a picture, and nothing
/// that is not recognised.
pub fn whoever_is_killed_while_saving_leaves_all_or_nothing() {
    let (folder, _file) = sparse(400);
    let (path, out) = (folder.file("pages"), folder.file("out.svg"));
    let killed = |call: &str, more: &[&str]| {
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}")]);
        strace.args(["-e", &format!("inject={call}:signal=KILL:when=1")]);
        strace.arg(env!("CARGO_BIN_EXE_page-sync")).arg("map").arg(&path);
        Program::run(strace.arg("--svg").arg(&out).args(more))
    };
    for call in ["fallocate", "pwrite64", "linkat"] {
        assert_ne!(killed(call, &[]).code(), Some(0), "{call} is one of the steps");
        assert!(!out.exists() || Document::parse(&fs::read_to_string(&out).unwrap()).is_ok());
        let _ = fs::remove_file(&out);
    }
    fs::write(&out, "old").unwrap();
    for call in ["fsync", "renameat,renameat2,rename"] {
        assert_ne!(killed(call, &["--force"]).code(), Some(0), "{call} is one of the steps");
        let found = fs::read_to_string(&out).unwrap();
        assert!(found == "old" || Document::parse(&found).is_ok(), "{call}: {found}");
    }
    for leftover in page_sync::durable::leftovers(&out).unwrap() {
        fs::remove_file(leftover).unwrap();
    }
    let names = fs::read_dir(folder.path()).unwrap().flatten().map(|entry| entry.file_name());
    assert_eq!(names.filter(|name| name != "pages").collect::<Vec<_>>(), ["out.svg"]);
}

/// Before and after the rename: else a power cut may leave a name without content, or the old one.
pub fn a_replaced_picture_is_synced_and_so_is_its_folder() {
    let (folder, _file) = sparse(4);
    let (path, out) = (folder.file("pages"), folder.file("out.svg"));
    fs::write(&out, "old").unwrap();
    for (when, content) in [("1", "the old content is in place"), ("2", "a power cut may undo")] {
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync"]);
        strace.args(["-e", &format!("inject=fsync:error=EIO:when={when}")]);
        strace.arg(env!("CARGO_BIN_EXE_page-sync")).arg("map").arg(&path);
        let finished = Program::run(strace.args(["--force", "--svg"]).arg(&out));
        assert_eq!(finished.code(), Some(1));
        assert!(finished.stderr.contains(content), "{finished:?}");
    }
}
