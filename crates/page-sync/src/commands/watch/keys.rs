//! Keys, listened for in a thread of its own: if the terminal goes away, crossterm's reader never
//! returns (0.29 tries again at every error), and the thread that draws has to see the signal.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use ipc_common::cli::Failure;
use ipc_common::{Errno, Error};
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    Quit,
    Interrupt,
    Suspend,
    Reopen,
    Resize,
}

pub struct Keys(Receiver<Key>);

impl Keys {
    pub fn listen() -> Result<Keys, Failure> {
        let (send, keys) = mpsc::channel();
        let listen = move || {
            while let Ok(event) = event::read() {
                if let Some(key) = meaning(&event)
                    && send.send(key).is_err()
                {
                    break;
                }
            }
        };
        thread::Builder::new()
            .spawn(listen)
            .map_err(|error| Error::from_io("clone", &error, "a thread that listens for keys"))?;
        Ok(Keys(keys))
    }

    /// The next key, if one comes in time.
    pub fn next(&self, wait: Duration) -> Result<Option<Key>, Failure> {
        match self.0.recv_timeout(wait) {
            Ok(key) => Ok(Some(key)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(Failure::Error(
                Error::refused("read", Errno::EIO, "the terminal")
                    .with_remedy("no keys come from it any more"),
            )),
        }
    }
}

/// In raw mode Ctrl-C and Ctrl-Z are keys like others, and make no signal.
fn meaning(event: &Event) -> Option<Key> {
    let KeyEvent { code, modifiers, kind, .. } = match event {
        Event::Key(key) => *key,
        Event::Resize(..) => return Some(Key::Resize),
        _ => return None,
    };
    if kind == KeyEventKind::Release {
        return None;
    }
    match (code, modifiers.contains(KeyModifiers::CONTROL)) {
        (KeyCode::Char('c'), true) => Some(Key::Interrupt),
        (KeyCode::Char('z'), true) => Some(Key::Suspend),
        (KeyCode::Char('q' | 'Q') | KeyCode::Esc, false) => Some(Key::Quit),
        (KeyCode::Char('r' | 'R'), false) => Some(Key::Reopen),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_makes_another_key_of_a_letter() {
        let key = |code, modifiers| meaning(&Event::Key(KeyEvent::new(code, modifiers)));
        assert_eq!(key(KeyCode::Char('c'), KeyModifiers::CONTROL), Some(Key::Interrupt));
        assert_eq!(key(KeyCode::Char('c'), KeyModifiers::NONE), None);
        assert_eq!(key(KeyCode::Char('q'), KeyModifiers::NONE), Some(Key::Quit));
        assert_eq!(key(KeyCode::Char('q'), KeyModifiers::CONTROL), None);
        assert_eq!(key(KeyCode::Esc, KeyModifiers::NONE), Some(Key::Quit));
        assert_eq!(meaning(&Event::Resize(1, 1)), Some(Key::Resize));
    }
}
