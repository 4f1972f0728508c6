//! A view against a model: whatever is asked of it, memory and answers are those of a `Vec<u8>`,
//! and the bytes on either side stay as they were.

use std::sync::atomic::{AtomicU32, Ordering};

use proptest::prelude::*;

use super::{Stored, WriteView};

/// Bytes before and after the view that nothing may touch.
const MARGIN: usize = 64;
const CANARY: u32 = 0xa5a5_a5a5;

#[derive(Clone, Debug)]
enum Ask {
    Read { offset: usize, len: usize },
    Write { offset: usize, bytes: Vec<u8> },
    Fill { offset: usize, len: usize, byte: u8 },
    Part { offset: usize, len: usize },
    Text,
    PutText(Vec<u8>),
    Store32 { offset: usize, value: u32 },
    Load32 { offset: usize },
}

fn asks() -> impl Strategy<Value = Ask> {
    // Mostly near the view, sometimes near the end of the address space, where sums wrap.
    let place = || prop_oneof![4 => 0..700usize, 1 => any::<usize>()];
    let bytes = || prop::collection::vec(any::<u8>(), 0..600);
    prop_oneof![
        (place(), 0..700usize).prop_map(|(offset, len)| Ask::Read { offset, len }),
        (place(), bytes()).prop_map(|(offset, bytes)| Ask::Write { offset, bytes }),
        (place(), place(), any::<u8>()).prop_map(|(offset, len, byte)| Ask::Fill {
            offset,
            len,
            byte
        }),
        (place(), place()).prop_map(|(offset, len)| Ask::Part { offset, len }),
        Just(Ask::Text),
        bytes().prop_map(Ask::PutText),
        ".{0,80}".prop_map(|text| Ask::PutText(text.into_bytes())),
        (place(), any::<u32>()).prop_map(|(offset, value)| Ask::Store32 { offset, value }),
        place().prop_map(|offset| Ask::Load32 { offset }),
    ]
}

/// The part of the model that an access means, if it is all inside.
fn range(model: &[u8], offset: usize, len: usize) -> Option<std::ops::Range<usize>> {
    let end = offset.checked_add(len)?;
    (end <= model.len()).then_some(offset..end)
}

fn check(view: WriteView<'_>, model: &mut [u8], ask: Ask) -> Result<(), TestCaseError> {
    match ask {
        Ask::Read { offset, len } => {
            let mut copy = vec![0xee; len];
            let answer = view.read(offset, &mut copy);
            match range(model, offset, len) {
                Some(range) => prop_assert_eq!(&copy, &model[range]),
                None => prop_assert!(answer.is_err() && copy.iter().all(|byte| *byte == 0xee)),
            }
            prop_assert_eq!(view.read_vec(offset, len).ok(), answer.ok().map(|()| copy));
        }
        Ask::Write { offset, bytes } => {
            let answer = view.write(offset, &bytes);
            let range = range(model, offset, bytes.len());
            prop_assert_eq!(answer.is_ok(), range.is_some());
            range.into_iter().for_each(|range| model[range].copy_from_slice(&bytes));
        }
        Ask::Fill { offset, len, byte } => {
            let answer = view.fill(offset, len, byte);
            let range = range(model, offset, len);
            prop_assert_eq!(answer.is_ok(), range.is_some());
            range.into_iter().for_each(|range| model[range].fill(byte));
        }
        Ask::Part { offset, len } => {
            let part = view.part(offset, len);
            prop_assert_eq!(part.is_ok(), range(model, offset, len).is_some());
            if let Ok(part) = part {
                prop_assert_eq!(part.read_vec(0, len).unwrap(), &model[offset..offset + len]);
            }
        }
        Ask::Text => {
            let text = view.text().unwrap();
            let nul = model.iter().position(|byte| *byte == 0);
            prop_assert_eq!(text.is_terminated(), nul.is_some());
            prop_assert_eq!(text.as_bytes(), &model[..nul.unwrap_or(model.len())]);
            prop_assert!(!text.to_string().chars().any(char::is_control));
        }
        Ask::PutText(text) => match view.put_text(&text) {
            Ok(Stored { bytes, cut }) => {
                prop_assert_eq!(bytes + cut, text.len());
                prop_assert!(bytes < model.len(), "room for the NUL");
                prop_assert!(cut == 0 || bytes + 4 >= model.len(), "no more cut than needed");
                if let Ok(whole) = std::str::from_utf8(&text) {
                    prop_assert!(whole.is_char_boundary(bytes));
                }
                model[..bytes].copy_from_slice(&text[..bytes]);
                model[bytes] = 0;
            }
            Err(_) => prop_assert!(text.contains(&0) || model.is_empty()),
        },
        Ask::Store32 { offset, value } => {
            let aligned = (view.as_ptr() as usize).wrapping_add(offset) % 4 == 0;
            let range = range(model, offset, 4).filter(|_| aligned);
            let word = view.atomic_u32(offset);
            prop_assert_eq!(word.is_ok(), range.is_some());
            if let (Ok(word), Some(range)) = (word, range) {
                word.store(value, Ordering::Relaxed);
                prop_assert_eq!(view.load_u32(offset, Ordering::Relaxed).unwrap(), value);
                model[range].copy_from_slice(&value.to_ne_bytes());
            }
        }
        Ask::Load32 { offset } => {
            let aligned = (view.as_ptr() as usize).wrapping_add(offset) % 4 == 0;
            let range = range(model, offset, 4).filter(|_| aligned);
            let expected = range.map(|r| u32::from_ne_bytes(model[r].try_into().unwrap()));
            prop_assert_eq!(view.load_u32(offset, Ordering::Relaxed).ok(), expected);
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_view_behaves_as_a_vector_of_its_bytes(
        start in 0..16usize,
        len in 0..512usize,
        questions in prop::collection::vec(asks(), 1..20),
    ) {
        let memory: Vec<AtomicU32> = (0..192).map(|_| AtomicU32::new(CANARY)).collect();
        let all = WriteView::of_atomics(&memory);
        let view = all.part(MARGIN + start, len).unwrap();
        let mut model = vec![0xa5; len];
        for ask in questions {
            check(view, &mut model, ask)?;
            prop_assert_eq!(view.read_vec(0, len).unwrap(), model.clone());
        }
        let before = all.read_vec(0, MARGIN + start).unwrap();
        let after = all.read_vec(MARGIN + start + len, all.len() - MARGIN - start - len).unwrap();
        prop_assert!(before.iter().chain(&after).all(|byte| *byte == 0xa5));
    }
}
