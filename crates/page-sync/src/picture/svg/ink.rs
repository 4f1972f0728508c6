//! Colours, the patterns that say the same without them, and text that XML allows.

use crate::picture::Face;

/// The fill of a state, and the ink of its letter. Dark where it is urgent, so that a grey copy
/// keeps the order.
pub(super) fn paint(face: Face) -> (&'static str, &'static str) {
    match face {
        Face::Dirty => ("url(#dirty)", "#7a1200"),
        Face::Writeback => ("url(#writeback)", "#4b0a63"),
        Face::Private => ("url(#private)", "#5a4300"),
        Face::Clean => ("#c9ecd0", "#0b4a1b"),
        Face::Cached => ("url(#cached)", "#0a3d5c"),
        Face::Evicted => ("url(#evicted)", "#555"),
        Face::Absent => ("#fff", "#999"),
        Face::Unknown => ("url(#unknown)", "#333"),
    }
}

/// The patterns: strokes that rise, lie, fall, cross; dots.
pub(super) fn patterns() -> String {
    let pattern = |id, ground, ink, stroke, path| {
        format!(
            r#"<pattern id="{id}" width="8" height="8" patternUnits="userSpaceOnUse"><rect width="8" height="8" fill="{ground}"/><path d="{path}" stroke="{ink}" stroke-width="{stroke}" fill="none"/></pattern>"#
        )
    };
    let rising = "M-2,2 L2,-2 M0,8 L8,0 M6,10 L10,6";
    let falling = "M-2,6 L2,10 M0,0 L8,8 M6,-2 L10,2";
    let crossing = "M0,8 L8,0 M0,0 L8,8";
    [
        "<defs>".to_owned(),
        pattern("dirty", "#f4a58a", "#b3200a", "2.6", rising),
        pattern("writeback", "#dcb6ec", "#6a1b8a", "2", "M0,2 H8 M0,6 H8"),
        pattern("private", "#fbe38e", "#8a6a00", "1.8", falling),
        pattern("cached", "#cfe6f5", "#3b7ea8", "0.8", "M4,0 V8"),
        pattern("evicted", "#fff", "#888", "1.2", "M3.4,4 H4.6"),
        pattern("unknown", "#eee", "#777", "0.8", crossing),
        "</defs>".to_owned(),
    ]
    .join("\n")
}

/// A stranger's text with nothing in it that goes unseen, turns the line round, or may not be in
/// XML at all.
pub(super) fn visible(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        let hidden = character.is_control()
            || matches!(character, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
            || matches!(character, '\u{2060}'..='\u{206f}' | '\u{fffe}' | '\u{ffff}');
        if hidden {
            plain.extend(character.escape_unicode());
        } else {
            plain.push(character);
        }
    }
    plain
}

/// Text that XML takes for text.
pub(super) fn escaped(text: &str) -> String {
    let mut xml = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            '\'' => xml.push_str("&apos;"),
            other => xml.push(other),
        }
    }
    xml
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_states_are_filled_the_same_way_and_every_pattern_is_there() {
        let fills: Vec<_> = Face::ALL.iter().map(|face| paint(*face).0).collect();
        for (at, fill) in fills.iter().enumerate() {
            assert!(!fills[..at].contains(fill), "{fill} stands for two states");
            let id = fill.strip_prefix("url(#").and_then(|rest| rest.strip_suffix(')'));
            assert!(id.is_none_or(|id| patterns().contains(&format!("id=\"{id}\""))), "{fill}");
        }
    }

    #[test]
    fn text_is_escaped_and_what_xml_forbids_is_spelt_out() {
        assert_eq!(escaped("<a b='\"'>&"), "&lt;a b=&apos;&quot;&apos;&gt;&amp;");
        assert_eq!(visible("a\u{1}\u{202e}\u{ffff}ä"), "a\\u{1}\\u{202e}\\u{ffff}ä");
    }
}
