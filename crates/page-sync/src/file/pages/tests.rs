//! Against wide arithmetic, for pages of 4, 16 and 64 KiB.

use super::*;
use proptest::prelude::*;

fn page_sizes() -> impl Strategy<Value = PageSize> {
    prop_oneof![Just(4096), Just(16384), Just(65536)].prop_map(|n| PageSize::new(n).unwrap())
}

/// Small ones, those around page boundaries, and those near the end of all numbers.
fn numbers() -> impl Strategy<Value = usize> {
    prop_oneof![
        0..400_000usize,
        (0..7usize, 0..3usize).prop_map(|(page, by)| (page * 65536 + by).saturating_sub(1)),
        any::<usize>(),
        (0..3usize).prop_map(|n| usize::MAX - n),
    ]
}

fn bounds() -> impl Strategy<Value = Bound<usize>> {
    prop_oneof![
        numbers().prop_map(Bound::Included),
        numbers().prop_map(Bound::Excluded),
        Just(Bound::Unbounded),
    ]
}

proptest! {
    /// The model has 128 bits and asks of every page whether it holds a byte of the range.
    #[test]
    fn a_span_is_what_wide_arithmetic_says(
        page in page_sizes(), count in 1..9usize, start in bounds(), end in bounds(),
    ) {
        let pages = Pages::new(count, page).unwrap();
        let (size, grain) = (pages.bytes() as u128, page.bytes() as u128);
        let from = match start {
            Bound::Included(n) => n as u128,
            Bound::Excluded(n) => n as u128 + 1,
            Bound::Unbounded => 0,
        };
        let to = match end {
            Bound::Included(n) => n as u128 + 1,
            Bound::Excluded(n) => n as u128,
            Bound::Unbounded => size,
        };
        match pages.span((start, end)) {
            Ok(span) => {
                prop_assert!(from < to && to <= size);
                prop_assert_eq!((span.bytes.start as u128, span.bytes.end as u128), (from, to));
                for number in 0..count as u128 {
                    let holds = number * grain < to && from < (number + 1) * grain;
                    prop_assert_eq!(span.pages.contains(&(number as usize)), holds);
                }
                let whole = pages.whole(&span.pages);
                prop_assert!(whole.start <= span.bytes.start && span.bytes.end <= whole.end);
                prop_assert!(page.is_aligned(whole.start) && page.is_aligned(whole.end));
            }
            Err(error) => {
                let expected = if from > usize::MAX as u128 || to > usize::MAX as u128 {
                    Errno::EOVERFLOW
                } else if from > to {
                    Errno::EINVAL
                } else if to > size {
                    Errno::ERANGE
                } else {
                    prop_assert_eq!(from, to);
                    Errno::EINVAL
                };
                prop_assert_eq!(error.errno(), expected);
                prop_assert!(!error.is_from_kernel());
            }
        }
    }

    #[test]
    fn to_hold_is_the_smallest_number_of_pages(page in page_sizes(), len in any::<u64>()) {
        let grain = page.bytes() as u128;
        match Pages::to_hold(len, page) {
            Ok(pages) => {
                let bytes = pages.bytes() as u128;
                prop_assert!(bytes >= u128::from(len) && bytes - u128::from(len) < grain);
                prop_assert_eq!(Pages::exactly(len, page).is_ok(), bytes == u128::from(len));
            }
            Err(error) if len == 0 => prop_assert_eq!(error.errno(), Errno::EINVAL),
            Err(error) => {
                prop_assert_eq!(error.errno(), Errno::EFBIG);
                prop_assert!(u128::from(len).div_ceil(grain) * grain > i64::MAX as u128);
            }
        }
    }

    #[test]
    fn pages_lie_side_by_side(page in page_sizes(), count in 1..100usize) {
        let pages = Pages::new(count, page).unwrap();
        let mut at = 0;
        for number in 0..count {
            let bytes = pages.bytes_of(number).unwrap();
            prop_assert_eq!(bytes.start, at);
            prop_assert_eq!(pages.span(bytes.clone()).unwrap().pages, number..number + 1);
            at = bytes.end;
        }
        prop_assert_eq!(at, pages.bytes());
        prop_assert_eq!(pages.bytes_of(count).unwrap_err().errno(), Errno::ERANGE);
    }
}

#[test]
fn the_lectures_file_is_one_byte_too_long() {
    for bytes in [4096, 16384, 65536] {
        let page = PageSize::new(bytes).unwrap();
        let error = Pages::exactly(bytes as u64 + 1, page).unwrap_err();
        assert!(error.remedy().contains("2 of them"), "{error}");
        assert_eq!(Pages::exactly(bytes as u64, page).unwrap().count(), 1);
    }
}
