//! mprotect(2), and a store to a page that it has closed: SIGSEGV, mended by a handler.
//!
//! A trap is in here on purpose: an mprotect that makes a page like its neighbour lets the kernel
//! merge the two mappings, and the next one split them again. That alone is worth a factor; whoever
//! measures mprotect beside memory that he does not know measures the neighbour.

use benches::bench::{About, Case, stop};
use benches::c::{Library, Pages};
use benches::floor::Steady;
use benches::mend::Mended;
use benches::raw::Map;
use benches::{Bench, Watch};
use ipc_common::{Errno, PageSize};
use segv_guard::region::{Protection, Region};

const GROUP: &str = "page_faults mprotect and SIGSEGV";
const REFERENCE: &str = "mprotect twice, no neighbour";

pub fn bench(bench: &mut Bench, floor: &mut Steady) {
    let guard = match segv_guard::install() {
        Ok(guard) => guard,
        Err(error) => return bench.skip(GROUP, error.to_string()),
    };
    let page = PageSize::system().bytes();
    let [alone, beside] =
        [Neighbour::Unlike, Neighbour::Alike].map(|like| OnePage::new(page, like));
    let mended = Mended::new(guard, 1);
    let closed = Region::new(page).unwrap_or_else(|error| stop(&error));
    closed.protect(0..1, Protection::Closed).unwrap_or_else(|error| stop(&error));
    let byte = closed.view().as_ptr();

    let about = About {
        varies: "pages",
        reference: REFERENCE,
        labels: vec![("bytes in a page", page.to_string())],
        ..About::default()
    };
    let mut group = bench.group(GROUP, about, floor);
    let mut reference = |watch: &mut Watch, rounds| alone.rounds(watch, rounds);
    let case =
        |function| Case { function, value: "1".into(), bytes: page as u64, ..Case::default() };

    group.case(&case(REFERENCE), &mut |w, n| alone.rounds(w, n), &mut reference);
    let merged = "mprotect twice, merging";
    group.case(&case(merged), &mut |w, n| beside.rounds(w, n), &mut reference);
    let mut caught = |watch: &mut Watch, rounds: u64| {
        watch.on(|| {
            for _ in 0..rounds {
                // SAFETY: nobody has references to the page.
                assert!(unsafe { guard.read_byte(byte) }.is_err());
            }
        });
    };
    group.case(&case("segv-guard, load caught"), &mut caught, &mut reference);
    let mut ours = |watch: &mut Watch, rounds: u64| {
        watch.on(|| mended.again(u32::try_from(rounds).expect("criterion asks for less")));
    };
    group.case(&case("segv-guard, store mended"), &mut ours, &mut reference);
    let pages = mended.pages();
    for (name, source, arguments) in [
        ("C, store mended", "sigaction", &[][..]),
        ("libsigsegv, store mended", "libsigsegv", &["-lsigsegv"]),
    ] {
        match Library::load(source, arguments) {
            Some(library) => {
                let mut theirs = |watch: &mut Watch, rounds| in_c(&library, pages, watch, rounds);
                group.case(&case(name), &mut theirs, &mut reference);
            }
            None => group.skip(name, "it cannot be compiled here"),
        }
    }
    group.finish();
}

/// The same loop in C. (It installs its handler and puts ours back in each call: of one round, the
/// counts show that, too.)
fn in_c(library: &Library, pages: Pages, watch: &mut Watch, rounds: u64) {
    let rounds = u32::try_from(rounds).expect("criterion asks for less");
    let again = library.function(c"again");
    // SAFETY: a region of ours, seen by views only, and this is the only thread.
    watch.on(|| unsafe { again.run(pages, rounds) });
}

/// What the pages on both sides of the one may be.
#[derive(Clone, Copy)]
enum Neighbour {
    /// Such that they can never be merged with it.
    Unlike,
    /// Like it when it is open.
    Alike,
}

/// A page between two others, closed and opened.
struct OnePage {
    map: Map,
    page: usize,
}

impl OnePage {
    fn new(page: usize, neighbours: Neighbour) -> OnePage {
        let map = Map::anonymous(3 * page, libc::MAP_PRIVATE).unwrap_or_else(|error| stop(&error));
        // SAFETY: all three are ours and writable.
        unsafe { benches::raw::store_each(map.start(), 3 * page, page) };
        let one = OnePage { map, page };
        if let Neighbour::Unlike = neighbours {
            one.protect(0, libc::PROT_NONE);
            one.protect(2, libc::PROT_NONE);
        }
        one
    }

    fn rounds(&self, watch: &mut Watch, rounds: u64) {
        watch.on(|| {
            for _ in 0..rounds {
                self.protect(1, libc::PROT_READ);
                self.protect(1, libc::PROT_READ | libc::PROT_WRITE);
            }
        });
    }

    fn protect(&self, which: usize, protection: i32) {
        let start = self.map.start().wrapping_add(which * self.page);
        // SAFETY: a page of the mapping, to which nobody has references.
        let result = unsafe { libc::mprotect(start.cast(), self.page, protection) };
        if result != 0 {
            stop(&format!("mprotect: {}", Errno::last()));
        }
    }
}
