//! A round trip: the note goes, the same note comes back.

use benches::Watch;
use benches::bench::stop;
use benches::peer::Peer;

/// What carries a note. Made before the fork, so that both processes have it.
pub trait Transport {
    /// In the process that asks: lets go of what is the other's.
    fn ask_only(&mut self) {}
    /// In the process that answers, likewise.
    fn answer_only(&mut self) {}
    /// Before some rounds, on either side, while nothing is under way.
    fn begin(&mut self) {}
    /// Sends the note, and waits for what comes back.
    fn ask(&mut self, note: &mut [u8]);
    /// Waits for a note, and sends it back.
    fn answer(&mut self, note: &mut [u8]);
}

/// Two processes and what is between them.
pub struct Trip<T> {
    transport: T,
    peer: Peer,
    note: Vec<u8>,
}

impl<T: Transport> Trip<T> {
    /// The other process runs on `processor`, and notes have `size` bytes.
    pub fn new(transport: T, processor: usize, size: u64) -> Trip<T> {
        // In the child each of these is a copy: the transport's other half.
        let transport = std::cell::RefCell::new(transport);
        let size = usize::try_from(size).expect("it fits into memory");
        let mut theirs = vec![1_u8; size];
        let peer = Peer::start(
            processor,
            || transport.borrow_mut().answer_only(),
            |ready, rounds| {
                let mut transport = transport.borrow_mut();
                transport.begin();
                ready();
                for _ in 0..rounds {
                    transport.answer(&mut theirs);
                }
            },
        );
        let peer = peer.unwrap_or_else(|error| stop(&error));
        let mut transport = transport.into_inner();
        transport.ask_only();
        Trip { transport, peer, note: vec![2; size] }
    }

    pub fn rounds(&mut self, watch: &mut Watch, rounds: u64) {
        self.transport.begin();
        self.peer.order(rounds);
        watch.on(|| {
            for round in 0..rounds {
                // Another note each time, and both of its ends have to come back.
                let end = self.note.len() - 1;
                let (first, last) = (round as u8, (round >> 8) as u8 ^ 0x55);
                self.note[end] = last;
                self.note[0] = first;
                self.transport.ask(&mut self.note);
                let back = (self.note[0], if end == 0 { last } else { self.note[end] });
                assert_eq!(back, (first, last), "another note came back");
            }
        });
    }
}
