//! `overflow`: what it prints against what strace says of it.

use super::*;

/// What a deed should do, by C's own rules: the first byte past the end, the neighbour behind.
const DEEDS: [(&str, Option<u64>, &str, &str); 4] = [
    ("fits", None, "balance 00000042", "pay 100 crowns"),
    ("one-too-many", Some(16), "balance 00000042", r"\x00ay 100 crowns"),
    ("index", Some(20), "balance 00000042", "pay 900 crowns"),
    ("in-front", None, "balance 00000049", "pay 100 crowns"),
];

pub fn an_overflow_is_reported_at_its_byte_and_changes_a_plain_neighbour() {
    let seen = json(&run(&["overflow", "--json"]).ok());
    let writes = seen["writes"].as_array().unwrap();
    assert_eq!(writes.len(), DEEDS.len());
    for (write, (name, byte, in_front, behind)) in writes.iter().zip(DEEDS) {
        assert_eq!(write["name"], name);
        let told = &write["plain"]["told"];
        assert_eq!(
            (&told["in_front"]["after"], &told["behind"]["after"]),
            (&in_front.into(), &behind.into())
        );
        assert_eq!(told["behind"]["before"], "pay 100 crowns");
        assert_eq!(write["plain"]["end"]["exit_code"], 0);
        let (fatal, noted) = (&write["fatal"], &write["noted"]);
        assert_eq!(noted["end"]["exit_code"], 0, "{noted}");
        let Some(byte) = byte else {
            assert!(fatal["fault"].is_null() && fatal["end"]["exit_code"] == 0, "{fatal}");
            assert!(noted["told"]["overflow"].is_null(), "{noted}");
            continue;
        };
        assert_eq!(fatal["end"]["signal"], "SIGSEGV", "{fatal}");
        assert_eq!(noted["told"]["overflow"]["offset"], byte, "{noted}");
        // The buffer ends where a page ends: so far past it is the address in its page.
        let address = fatal["fault"]["address"].as_str().unwrap().trim_start_matches("0x");
        let address = u64::from_str_radix(address, 16).unwrap();
        assert_eq!(address % 4096, byte - 16, "{fatal}");
        let sentence = fatal["fault"]["sentence"].as_str().unwrap();
        let words = if byte == 16 { "just past the end" } else { "4 bytes past the end" };
        assert!(sentence.contains(&format!("{words} of a 16-byte buffer")), "{sentence}");
    }
}

pub fn the_fault_of_an_overflow_is_the_one_that_strace_sees() {
    let (printed, signals) = under_strace(&["overflow", "--json"]);
    for write in json(&printed)["writes"].as_array().unwrap() {
        let fault = &write["fatal"]["fault"];
        if let (Some(address), Some(code)) = (fault["address"].as_str(), fault["code"].as_str()) {
            let told = format!("si_code={code}, si_addr={address}}}");
            // Once for the handler, and once more with nobody to catch it.
            assert_eq!(
                signals.iter().filter(|line| line.contains(&told)).count(),
                2,
                "{signals:?}"
            );
        }
    }
    // Two fatal ones, twice each, and two that were noted.
    assert_eq!(signals.len(), 6, "{signals:?}");
}

pub fn a_guarded_writer_dies_alone_as_it_does_before_an_audience() {
    use std::os::unix::process::ExitStatusExt;
    for (name, byte, ..) in DEEDS {
        let alone = run(&["overflow-writer", name, "--buffer", "fatal"]);
        assert_eq!(alone.status.signal(), byte.map(|_| 11), "{name}: {alone:?}");
        assert!(alone.stderr.is_empty(), "{alone:?}");
        run(&["overflow-writer", name, "--buffer", "noted"]).ok();
        run(&["overflow-writer", name]).ok();
    }
}

pub fn the_overflow_reads_as_well_as_it_parses() {
    let printed = run(&["overflow"]).ok();
    let mut rest = &printed[..];
    for words in [
        "A plain buffer",
        r#"behind: "pay 100 crowns" became "\x00ay 100 crowns", and nothing was said"#,
        r#"became "pay 900 crowns""#,
        "may not be touched",
        "just past the end of a 16-byte buffer",
        "killed by SIGSEGV",
        "4 bytes past the end of a 16-byte buffer",
        "killed by SIGSEGV",
        "is noted",
        "byte 16 of a 16-byte buffer was written: just past its end",
        "ended with exit code 0",
        "byte 20 of a 16-byte buffer was written: 4 bytes past its end",
        "it cannot see",
    ] {
        let at = rest.find(words).unwrap_or_else(|| panic!("{words:?} is not in order: {printed}"));
        rest = &rest[at + words.len()..];
    }
}
