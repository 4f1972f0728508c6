//! `lazy`: what it prints against what strace and /proc say of it.

use super::*;

pub fn pages_are_filled_when_they_are_touched_and_only_then() {
    let touched = [5, 6, 5, 300];
    let words = ["lazy", "--json", "--mib", "64", "--touch", "5", "--touch", "6", "--touch", "5"];
    let seen = json(&run(&[&words[..], &["--touch", "300"]].concat()).ok());
    let size = seen["page_size"].as_u64().unwrap();
    assert_eq!(seen["pages"].as_u64().unwrap() * size, 64 << 20);
    assert_eq!(seen["filled"], 3);
    let mut filled = Vec::new();
    let mut last = 0;
    for (touch, page) in seen["touches"].as_array().unwrap().iter().zip(touched) {
        assert_eq!(
            (&touch["page"], &touch["found"]),
            (&page.into(), &format!("this is page {page}").into())
        );
        let fillings = touch["fillings"].as_array().unwrap();
        let first = !filled.contains(&page);
        assert_eq!(fillings.len(), usize::from(first), "{touch}");
        let (at, took) = (touch["at_ns"].as_u64().unwrap(), touch["took_ns"].as_u64().unwrap());
        assert!(at >= last);
        last = at + took;
        for filling in fillings {
            assert_eq!((&filling["page"], &filling["thread"]), (&page.into(), &"pager".into()));
            let when = filling["at_ns"].as_u64().unwrap();
            assert!((at..=last).contains(&when), "during the touch: {touch}");
        }
        filled.push(page);
    }
    assert_eq!(seen["before"]["range_rss_bytes"], 0);
    let after = seen["after"]["range_rss_bytes"].as_u64().unwrap();
    // Where shared memory comes in huge pages, more is in memory than was asked for.
    let huge = fs::read_to_string("/sys/kernel/mm/transparent_hugepage/shmem_enabled");
    let small = huge.is_ok_and(|text| text.contains("[never]") || text.contains("[advise]"));
    assert!(if small { after == 3 * size } else { after >= 3 * size }, "{after}");
}

pub fn lazy_faults_once_for_each_page_it_fills() {
    let (printed, signals) = under_strace(&["lazy", "--json", "--mib", "8"]);
    assert_eq!(json(&printed)["filled"], signals.len(), "{signals:?}");
    assert_eq!(signals.len(), 4);
}

pub fn lazy_says_which_pages_there_are() {
    let printed = run(&["lazy"]).ok();
    let size = ipc_common::PageSize::system().bytes();
    let pages = (1 << 30) / size;
    assert!(printed.contains(&format!("{pages} pages of {size} bytes")), "{printed}");
    assert!(printed.contains("0 KiB of the range in memory"), "{printed}");
    assert!(printed.contains(&format!("filled       4 of {pages} pages")), "{printed}");
    assert_eq!(printed.matches("no fill").count(), 1, "{printed}");
    assert_eq!(
        run(&["lazy", "--mib", "1", "--touch", &((1 << 20) / size - 1).to_string()]).code(),
        Some(0)
    );
    assert_eq!(
        run(&["lazy", "--mib", "1", "--touch", &((1 << 20) / size).to_string()]).code(),
        Some(2)
    );
}
