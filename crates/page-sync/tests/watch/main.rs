//! `page-sync watch` in a real terminal, as a user would see it.

#[path = "../inspect/support.rs"]
mod support;
mod terminal;
mod tmux;

use std::fs;
use std::process::Command;

use nix::unistd::ftruncate;

use testkit::Program;

use support::{Still, mapped, page, sparse, store};
use terminal::*;
use tmux::{Terminal, bash, tmux, without_terminal};

testkit::cases! {
    the_picture_follows_what_another_process_does needs tmux, support::ext4;
    faults_are_counted_as_they_happen needs tmux;
    each_way_to_quit_gives_the_terminal_back needs tmux;
    each_signal_gives_the_terminal_back needs tmux;
    a_suspended_one_gives_the_terminal_back_and_takes_it_again needs tmux, bash;
    one_that_was_stopped_unseen_takes_the_terminal_again needs tmux;
    a_terminal_that_goes_away_ends_it needs tmux;
    what_happens_to_the_file_is_said_and_is_no_crash needs tmux;
    a_process_that_was_asked_for_and_has_gone_is_said_to_have needs tmux;
    it_fits_any_size needs tmux;
    colours_only_where_they_are_wanted needs tmux;
    without_a_terminal_it_names_the_command_that_needs_none;
    a_period_is_neither_nothing_nor_for_ever;
    keys_come_from_the_terminal_even_if_input_does_not needs tmux;
    bad_files_and_processes_are_told_on_the_first_screen needs tmux;
}

const TOUCHED: [usize; 4] = [3, 17, 18, 40];

/// The letters of the cells, or nothing before there are some.
fn letters(shown: &str) -> String {
    let rows = shown.lines().skip(3).take_while(|row| !row.is_empty());
    rows.flat_map(|row| row.split_whitespace().skip(1)).collect()
}

fn at(letters: &str, which: &[char]) -> Vec<usize> {
    letters.char_indices().filter(|(_, c)| which.contains(c)).map(|(at, _)| at).collect()
}

fn the_picture_follows_what_another_process_does() {
    let (folder, file) = sparse(64);
    let terminal = Terminal::watching(&folder.file("pages"), "", "");
    terminal.wait("an empty picture", |shown| letters(shown) == ".".repeat(64));
    let mapping = mapped(&file);
    // Until they are seen dirty: anybody may call sync(2) meanwhile.
    let shown = terminal.wait("the pages stored to", |shown| {
        store(&mapping, &TOUCHED);
        at(&letters(shown), &['D']) == TOUCHED
    });
    assert!(shown.contains("dirty pages: 4") && shown.contains("d dirty 4"), "{shown}");
    assert!(shown.contains(&format!("{:>7} watch-", std::process::id())), "{shown}");
    mapping.flush(0..mapping.len()).unwrap();
    terminal.wait("them clean", |shown| at(&letters(shown), &['C']) == TOUCHED);
    drop(mapping);
    // Or not in memory any more, if somebody drops caches.
    terminal.wait("them not mapped", |shown| at(&letters(shown), &['C', 'D', 'W']).is_empty());
    terminal.press("q");
    terminal.ended_with(0);
}

fn faults_are_counted_as_they_happen() {
    let (folder, file) = sparse(64);
    let _mapping = mapped(&file);
    let terminal = Terminal::watching(&folder.file("pages"), "", "");
    let rates = |shown: &str| -> Option<(u64, u64)> {
        let pid = std::process::id().to_string();
        let row = shown.lines().find(|row| row.trim_start().starts_with(&pid))?;
        let mut words = row.split_whitespace().rev();
        let major = words.next()?.parse().ok()?;
        Some((words.next()?.parse().ok()?, major))
    };
    terminal.wait("faults", |shown| {
        // A new mapping has no page table entries, so each first touch is a fault.
        store(&mapped(&file), &TOUCHED);
        rates(shown).is_some_and(|(minor, major)| minor + major > 0)
    });
    terminal.press("q");
    terminal.ended_with(0);
}

fn what_happens_to_the_file_is_said_and_is_no_crash() {
    let (folder, file) = sparse(64);
    let path = folder.file("pages");
    let terminal = Terminal::watching(&path, "", "--every 20ms");
    terminal.wait("64 pages", |shown| letters(shown).len() == 64);
    ftruncate(&file, 2 * page() as i64).unwrap();
    terminal.wait_for("cut shorter");
    terminal.wait("2 pages", |shown| letters(shown).len() == 2);
    ftruncate(&file, 0).unwrap();
    terminal.wait_for("no pages");
    ftruncate(&file, 5 * page() as i64).unwrap();
    terminal.wait_for("grown");
    fs::rename(&path, folder.file("away")).unwrap();
    terminal.wait_for("moved away");
    fs::write(&path, vec![1; 3 * page()]).unwrap();
    terminal.wait_for("another file now");
    terminal.wait("the old one still", |shown| letters(shown).len() == 5);
    terminal.press("r");
    terminal.wait("the new one", |shown| letters(shown).len() == 3);
    fs::remove_file(&path).unwrap();
    terminal.wait_for("was removed");
    terminal.press("r");
    terminal.wait_for("ENOENT");
    terminal.press("q");
    terminal.ended_with(0);
}

fn it_fits_any_size() {
    let (folder, file) = sparse(5000);
    // Mapped, so that nobody who drops caches takes it away.
    let mapping = mapped(&file);
    store(&mapping, &[4999]);
    let terminal = Terminal::watching(&folder.file("pages"), "", "");
    let full = |shown: &str| letters(shown).len() > 300;
    terminal.wait("a full screen", full);
    for (columns, rows) in [(200, 50), (40, 12), (12, 5), (1, 1), (80, 24)] {
        terminal.resize(columns, rows);
        terminal.wait("the end of the file", |shown| {
            let most = shown.lines().map(|line| line.chars().count()).max().unwrap_or(0);
            most <= usize::from(columns)
                && (columns < 12 || !at(&letters(shown), &['D', 'C', 'W']).is_empty())
        });
    }
    terminal.wait("a full screen", full);
    terminal.press("q");
    terminal.ended_with(0);
}

fn colours_only_where_they_are_wanted() {
    let (folder, file) = sparse(64);
    let mapping = mapped(&file);
    store(&mapping, &TOUCHED);
    let coloured = |shown: &str| {
        shown.split("\x1b[").skip(1).any(|part| {
            let codes = part.split('m').next().unwrap_or_default();
            codes.split(';').any(|code| matches!(code.parse(), Ok(30..=38 | 40..=48 | 90..=107)))
        })
    };
    for (variable, wanted) in [("", true), ("NO_COLOR=1", false), ("NO_COLOR=", true)] {
        let terminal = Terminal::watching(&folder.file("pages"), variable, "");
        terminal.wait("the pages stored to", |shown| {
            store(&mapping, &TOUCHED);
            at(&letters(shown), &['D', 'W', 'C']) == TOUCHED
        });
        assert_eq!(coloured(&terminal.shown_with_colours()), wanted, "{variable:?}");
    }
}

fn without_a_terminal_it_names_the_command_that_needs_none() {
    let (folder, _file) = sparse(4);
    let path = folder.file("pages");
    for term in ["xterm", "dumb", ""] {
        let finished = without_terminal(&path, term);
        assert_eq!(finished.code(), Some(1), "{finished:?}");
        assert!(finished.stdout.is_empty(), "{finished:?}");
        // As it has to be typed: with cargo, or with the path of the program, which the shell does
        // not find by its name alone.
        assert!(finished.stderr.contains(&format!(" map {}`", path.display())), "{finished:?}");
        assert!(!finished.stderr.contains("`page-sync map"), "{finished:?}");
    }
}

fn a_period_is_neither_nothing_nor_for_ever() {
    let (folder, _file) = sparse(1);
    for every in ["0s", "1ms", "2h", "soon"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_page-sync"));
        command.arg("watch").arg(folder.file("pages")).args(["--every", every]);
        assert_eq!(Program::run(&mut command).code(), Some(2), "{every}");
    }
}

fn keys_come_from_the_terminal_even_if_input_does_not() {
    let (folder, _file) = sparse(4);
    let terminal = Terminal::watching(&folder.file("pages"), "", "</dev/null");
    terminal.wait_for("q quit");
    terminal.press("q");
    terminal.ended_with(0);
}

fn a_process_that_was_asked_for_and_has_gone_is_said_to_have() {
    let (folder, file) = sparse(4);
    let asked_for = Still::after(|| {
        let mapping = mapped(&file);
        store(&mapping, &[1, 2]);
        mapping
    });
    let pid = asked_for.pid();
    let terminal = Terminal::watching(&folder.file("pages"), "", &format!("--pid {pid}"));
    terminal.wait("its pages", |shown| {
        let row = shown.lines().find(|row| row.trim_start().starts_with(&pid.to_string()));
        row.is_some_and(|row| row.split_whitespace().nth(2) == Some("2"))
    });
    drop(asked_for);
    // Above and below the picture.
    terminal
        .wait("both words", |shown| shown.matches(&format!("process {pid} has gone")).count() == 2);
    terminal.press("q");
    terminal.ended_with(0);
}

fn bad_files_and_processes_are_told_on_the_first_screen() {
    let (folder, _file) = sparse(4);
    let bad = Terminal::watching(&folder.file("none"), "", "");
    assert!(bad.said().contains("ENOENT"));
    bad.ended_with(1);
    drop(bad);
    let child = Still::after(|| ());
    let pid = child.pid();
    drop(child);
    let gone = Terminal::watching(&folder.file("pages"), "", &format!("--pid {pid}"));
    assert!(gone.said().contains("ESRCH"));
    gone.ended_with(1);
    drop(gone);
    let dumb = Terminal::watching(&folder.file("pages"), "TERM=dumb", "");
    assert!(dumb.said().contains("shows it once, anywhere"));
    dumb.ended_with(1);
}
