//! How wide a text is, at most: fonts differ, so each character is as wide as in the widest of the
//! usual ones.

/// An upper bound for the width of a text in a sans serif of this size.
pub fn width(text: &str, size: f64) -> f64 {
    text.chars().map(of).sum::<f64>() * size
}

/// In units of the font's size; by DejaVu Sans, which is wider than Arial, Roboto and the rest.
fn of(character: char) -> f64 {
    match character {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | ' ' => 0.36,
        'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '/' | '-' => 0.43,
        'm' | 'w' | 'M' | 'W' | '%' | '@' => 1.0,
        'a'..='z' | '0'..='9' => 0.65,
        'A'..='Z' | '_' => 0.8,
        character if character.is_ascii() => 0.85,
        '–' | '×' | '≈' | 'µ' => 0.85,
        _ => 1.1,
    }
}

/// As much of the text as is no wider than `room`, with an ellipsis where some is missing.
pub fn fit(text: &str, size: f64, room: f64) -> String {
    if width(text, size) <= room {
        return text.into();
    }
    let mut fitting = String::new();
    for character in text.chars() {
        if width(&fitting, size) + (of(character) + of('…')) * size > room {
            break;
        }
        fitting.push(character);
    }
    fitting + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_cut_and_says_so() {
        assert_eq!(fit("mmap", 10.0, 100.0), "mmap");
        let cut = fit(&"wide".repeat(50), 10.0, 100.0);
        assert!(cut.ends_with('…') && width(&cut, 10.0) <= 100.0, "{cut}");
        assert_eq!(fit("wide", 10.0, 0.0), "…");
    }
}
