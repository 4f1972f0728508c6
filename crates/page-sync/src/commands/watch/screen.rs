//! The terminal, taken and given back: at the end, at an error, at a panic, at a signal.

use std::io::{self, Stdout};
use std::panic;
use std::sync::Once;

use ipc_common::Error;
use ipc_common::cli::Failure;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::cursor::{Hide, Show};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::layout::{Rect, Size};
use signal_hook::consts::SIGTSTP;

/// The screen, as long as this value lives.
pub struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
}

impl Screen {
    /// Takes the terminal: the other screen, no cursor, each key at once.
    pub fn enter() -> io::Result<Screen> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let before = panic::take_hook();
            // First the terminal, then the words: on the other screen nobody would read them.
            panic::set_hook(Box::new(move |info| {
                restore();
                before(info);
            }));
        });
        let terminal = Terminal::new(CrosstermBackend::new(io::stdout()))?;
        let screen = Screen { terminal };
        // From here on, dropping it gives the terminal back.
        take()?;
        Ok(screen)
    }

    /// How large it is now.
    pub fn size(&self) -> Result<Size, Failure> {
        self.terminal.size().map_err(failed)
    }

    /// Draws all of it; what has not changed is not sent.
    pub fn draw(&mut self, draw: impl FnOnce(Rect, &mut Buffer)) -> Result<(), Failure> {
        self.terminal.draw(|frame| draw(frame.area(), frame.buffer_mut())).map(drop).map_err(failed)
    }

    /// Gives the terminal back, stops this process as Ctrl-Z does, and takes it again when it goes
    /// on.
    pub fn suspend(&mut self) -> Result<(), Failure> {
        restore();
        signal_hook::low_level::emulate_default_handler(SIGTSTP)
            .map_err(|error| Error::from_io("kill", &error, "this process, to stop it"))?;
        self.take_again()
    }

    /// Takes it again after somebody else had it, who may have left anything there.
    pub fn take_again(&mut self) -> Result<(), Failure> {
        // crossterm remembers that it had it, and would do nothing.
        let _ = disable_raw_mode();
        take().and_then(|()| self.draw_all_anew()).map_err(failed)
    }
}

impl Screen {
    /// `Terminal::clear` would ask the terminal where its cursor is, and the answer would come to the
    /// thread that listens for keys.
    fn draw_all_anew(&mut self) -> io::Result<()> {
        let size = self.terminal.size()?;
        self.terminal.resize(Rect::new(0, 0, size.width, size.height))
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

fn take() -> io::Result<()> {
    enable_raw_mode()?;
    execute!(io::stdout(), EnterAlternateScreen, Hide)
}

/// What fails here fails because the terminal is gone.
fn restore() {
    let _ = execute!(io::stdout(), LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
}

fn failed(error: io::Error) -> Failure {
    Failure::Error(Error::from_io("write", &error, "the terminal"))
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Read;
    use std::os::fd::{AsRawFd, OwnedFd};
    use std::os::unix::process::CommandExt;
    use std::process::{Command, Stdio};

    use nix::pty::openpty;
    use nix::sys::termios::{LocalFlags, tcgetattr};

    use super::*;

    /// Tells this test that it is the child, on a terminal of its own.
    const CHILD: &str = "TEST_PANIC_ON_THE_SCREEN";

    #[test]
    fn a_panic_gives_the_terminal_back_before_it_is_told() {
        if std::env::var_os(CHILD).is_some() {
            let _screen = Screen::enter().unwrap();
            panic!("told on purpose");
        }
        let pty = openpty(None, None).unwrap();
        let terminal = || Stdio::from(pty.slave.try_clone().unwrap());
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--nocapture", "a_panic_gives_the_terminal_back_before_it_is_told"]);
        command.stdin(terminal()).stdout(terminal()).stderr(terminal());
        let slave = pty.slave.as_raw_fd();
        // SAFETY: between fork and exec only two system calls are made.
        unsafe {
            command.pre_exec(move || {
                nix::unistd::setsid()?;
                nix::errno::Errno::result(libc::ioctl(slave, libc::TIOCSCTTY, 0))?;
                Ok(())
            });
        }
        let before = tcgetattr(&pty.slave).unwrap();
        let mut child = command.env("RUST_BACKTRACE", "0").env(CHILD, "1").spawn().unwrap();
        drop(command);
        let heard = std::thread::spawn(move || read_all(pty.master));
        assert!(!child.wait().unwrap().success());
        let after = tcgetattr(&pty.slave).unwrap();
        assert_eq!(after.local_flags, before.local_flags);
        assert!(after.local_flags.contains(LocalFlags::ICANON | LocalFlags::ECHO));
        drop(pty.slave);
        let heard = heard.join().unwrap();
        let at = |what: &str| heard.find(what).unwrap_or_else(|| panic!("{what:?}: {heard:?}"));
        assert!(at("\x1b[?1049h") < at("\x1b[?1049l"), "{heard:?}");
        assert!(at("\x1b[?1049l") < at("told on purpose"), "{heard:?}");
        assert!(at("\x1b[?25h") < at("told on purpose"), "the cursor is back: {heard:?}");
    }

    /// Up to where nobody has the other end any more, which is an error (EIO) on a pty.
    fn read_all(master: OwnedFd) -> String {
        let mut heard = Vec::new();
        let _ = File::from(master).read_to_end(&mut heard);
        String::from_utf8_lossy(&heard).into_owned()
    }
}
