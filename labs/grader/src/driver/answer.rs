//! What came back, and what a check makes of it.

use std::fmt;

use crate::check::Stop;
use crate::sandbox::Ended;
use crate::shown;

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The words of the request.
    pub request: String,
    /// What came.
    pub reply: Reply,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// `ok`, and the words after it.
    Ok(Vec<String>),
    /// `err`, the errno's name or `-`, and the words after it.
    Err(String, Vec<String>),
    /// A line that is no answer, in words: printed by the student's code.
    Stray(String),
    /// Nothing, for as long as the check was willing to wait.
    Silence,
    /// Nothing, since the program has ended.
    Ended(Ended),
}

pub(super) fn parse(line: &[u8], token: &str) -> Reply {
    let stray = || Reply::Stray(format!("a line of its own: {}", shown::line(line, 80)));
    let Ok(text) = std::str::from_utf8(line) else { return stray() };
    let mut words = text.split(' ').filter(|word| !word.is_empty());
    if words.next() != Some(token) {
        return stray();
    }
    let kind = words.next();
    let mut rest = words.map(str::to_owned);
    match kind {
        Some("ok") => Reply::Ok(rest.collect()),
        Some("err") => match rest.next() {
            Some(errno) => Reply::Err(errno, rest.collect()),
            None => stray(),
        },
        _ => stray(),
    }
}

impl Answer {
    /// The words after `ok`.
    ///
    /// # Errors
    ///
    /// [`Stop::Failed`] if it is anything else.
    pub fn ok(self) -> Result<Vec<String>, Stop> {
        match self.reply {
            Reply::Ok(words) => Ok(words),
            _ => Err(self.instead_of("it succeeds")),
        }
    }

    /// The one word after `ok`.
    ///
    /// # Errors
    ///
    /// [`Stop::Failed`] if it is anything else.
    pub fn one(self) -> Result<String, Stop> {
        match &self.reply {
            Reply::Ok(words) if words.len() == 1 => Ok(words[0].clone()),
            _ => Err(self.instead_of("it succeeds, with one value")),
        }
    }

    /// A number after `ok`.
    ///
    /// # Errors
    ///
    /// [`Stop::Failed`] if it is anything else.
    pub fn number<N: std::str::FromStr>(self) -> Result<N, Stop> {
        match &self.reply {
            Reply::Ok(words) if words.len() == 1 => {
                words[0].parse().map_err(|_| self.instead_of("it succeeds, with a number"))
            }
            _ => Err(self.instead_of("it succeeds, with a number")),
        }
    }

    /// Bytes after `ok`, which came in hex.
    ///
    /// # Errors
    ///
    /// [`Stop::Failed`] if it is anything else.
    pub fn bytes(self) -> Result<Vec<u8>, Stop> {
        let bytes = match &self.reply {
            Reply::Ok(words) if words.len() == 1 => super::unhex(&words[0]),
            _ => None,
        };
        bytes.ok_or_else(|| self.instead_of("it succeeds, with a text"))
    }

    /// The errno's name after `err`, `-` if the error has none.
    ///
    /// # Errors
    ///
    /// [`Stop::Failed`] if it is anything else: a success, too.
    pub fn err(self) -> Result<String, Stop> {
        match self.reply {
            Reply::Err(errno, _) => Ok(errno),
            _ => Err(self.instead_of("it is refused")),
        }
    }

    /// It has to be refused, with one of these errnos.
    ///
    /// # Errors
    ///
    /// [`Stop::Failed`] if it is anything else.
    pub fn refused(self, errnos: &[&str]) -> Result<(), Stop> {
        match &self.reply {
            Reply::Err(errno, _) if errnos.contains(&errno.as_str()) => Ok(()),
            _ => Err(self.instead_of(&format!("it is refused with {}", errnos.join(" or ")))),
        }
    }

    /// This is not what was expected.
    pub fn instead_of(&self, expected: &str) -> Stop {
        if let Reply::Ended(lost @ Ended::Lost) = &self.reply {
            return Stop::grader(lost.to_string());
        }
        // Paths and payloads are long; the verb is what people look for.
        Stop::failed(
            format!("`{}`: {expected}", shown::shortened(&self.request, 60)),
            self.reply.to_string(),
        )
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rest = |words: &[String]| shown::line(words.join(" ").as_bytes(), 80);
        match self {
            Reply::Ok(words) if words.is_empty() => f.write_str("it reports success"),
            Reply::Ok(words) => write!(f, "it reports success: {}", rest(words)),
            Reply::Err(errno, words) => {
                // The driver sends an error's text as one word, in hex.
                let text = words.first().and_then(|word| super::unhex(word)).unwrap_or_default();
                let name = if errno == "-" { "an error" } else { errno };
                write!(f, "it reports {}", shown::line(name.as_bytes(), 20))?;
                match text.is_empty() {
                    true => Ok(()),
                    false => write!(f, ": {}", shown::line(&text, 200)),
                }
            }
            Reply::Stray(what) => f.write_str(what),
            Reply::Silence => f.write_str("no answer: it waits, or runs, for ever"),
            Reply::Ended(ended) => write!(f, "no answer: {ended}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_line_with_the_token_is_an_answer() {
        assert_eq!(parse(b"7f ok a b", "7f"), Reply::Ok(vec!["a".into(), "b".into()]));
        assert_eq!(parse(b"7f err EEXIST", "7f"), Reply::Err("EEXIST".into(), vec![]));
        for stray in [&b"ok a"[..], b"7e ok", b"7f", b"7f yes", b"7f err", b"", b"\xff\xfe"] {
            assert!(matches!(parse(stray, "7f"), Reply::Stray(_)), "{stray:?}");
        }
    }

    #[test]
    fn a_program_that_was_lost_is_no_failure_of_its_own() {
        let reply = |ended| Answer { request: "put".into(), reply: Reply::Ended(ended) };
        assert!(matches!(reply(Ended::Lost).ok(), Err(Stop::Grader(_))));
        assert!(matches!(reply(Ended::Lost).err(), Err(Stop::Grader(_))));
        assert!(matches!(reply(Ended::Killed(9)).ok(), Err(Stop::Failed(_))));
    }

    #[test]
    fn an_errors_text_is_shown_as_text() {
        let text = super::super::hex(b"shmget: EEXIST\x1b[2J");
        let reply = parse(format!("7f err EEXIST {text}").as_bytes(), "7f").to_string();
        assert_eq!(reply, "it reports EEXIST: shmget: EEXIST\\u{1b}[2J");
        assert_eq!(parse(b"7f err - 6e6f", "7f").to_string(), "it reports an error: no");
    }

    #[test]
    fn what_a_program_prints_does_not_drive_the_terminal() {
        let reply = parse(b"\x1b[2J all tests passed", "7f").to_string();
        assert!(!reply.contains('\x1b'), "{reply:?}");
    }
}
