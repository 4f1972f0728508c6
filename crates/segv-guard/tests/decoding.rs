//! Every row of the table in the notes: an access that is refused, really made, and what the
//! handler makes of it.

mod support;

use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::Mutex;

use nix::sys::mman::ProtFlags;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use segv_guard::{Access, Cause, Fault, Guard, install};
use support::{OPEN, PART, nothing, pages, short_file};

testkit::cases! {
    a_page_without_any_permission_refuses_reading_and_writing;
    a_read_only_page_refuses_writing_before_and_after_it_was_read;
    an_unmapped_address_and_null_say_that_nothing_is_there;
    a_kernel_address_looks_unmapped needs x86_64;
    an_address_that_no_page_can_have_is_told_apart needs x86_64;
    past_the_end_of_a_file_it_is_sigbus;
    a_guarded_page_looks_unmapped needs guard_pages, testkit::need::native;
    executing_what_may_not_be_executed_is_told_apart_from_reading;
    both_ends_of_the_address_space_can_be_tried;
    words_and_bytes_arrive_whole_when_nothing_is_wrong;
}

fn x86_64() -> Result<(), String> {
    if cfg!(target_arch = "x86_64") { Ok(()) } else { Err("only x86-64 has these".into()) }
}

fn guard() -> Guard {
    install().unwrap()
}

/// Reads one byte, which must fail.
fn read(address: *const u8) -> Fault {
    // SAFETY: the cases try addresses where no Rust value can be.
    unsafe { guard().read_byte(address) }.unwrap_err()
}

/// Writes one byte, which must fail.
fn write(address: *mut u8) -> Fault {
    // SAFETY: as for `read`.
    unsafe { guard().write_byte(address, 1) }.unwrap_err()
}

#[track_caller]
fn expect(fault: Fault, signal: Signal, cause: Cause, access: Access, address: *const u8) {
    // A kernel may leave out the syndrome, as qemu 7 does.
    let told = cfg!(target_arch = "x86_64") || fault.access() != Access::Unknown;
    let access = if told { access } else { Access::Unknown };
    assert_eq!((fault.signal(), fault.cause(), fault.access()), (signal, cause, access), "{fault}");
    let address = (cause != Cause::NonCanonical).then_some(address.addr());
    assert_eq!(fault.address(), address, "{fault}");
}

fn a_page_without_any_permission_refuses_reading_and_writing() {
    let at = pages(ProtFlags::PROT_NONE).wrapping_add(7);
    expect(read(at), Signal::SIGSEGV, Cause::Protection, Access::Read, at);
    expect(write(at), Signal::SIGSEGV, Cause::Protection, Access::Write, at);
}

fn a_read_only_page_refuses_writing_before_and_after_it_was_read() {
    let at = pages(ProtFlags::PROT_READ).wrapping_add(100);
    expect(write(at), Signal::SIGSEGV, Cause::Protection, Access::Write, at);
    // SAFETY: a page of zeros that nobody else knows of.
    assert_eq!(unsafe { guard().read_byte(at) }, Ok(0));
    // Now there is an entry in the page table, and the processor's error code is another.
    expect(write(at), Signal::SIGSEGV, Cause::Protection, Access::Write, at);
}

fn an_unmapped_address_and_null_say_that_nothing_is_there() {
    for at in [nothing(), ptr::null_mut(), ptr::without_provenance_mut(8)] {
        expect(read(at), Signal::SIGSEGV, Cause::Unmapped, Access::Read, at);
        expect(write(at), Signal::SIGSEGV, Cause::Unmapped, Access::Write, at);
    }
}

fn a_kernel_address_looks_unmapped() {
    let at = ptr::without_provenance_mut(0xffff_8000_0000_0000);
    expect(read(at), Signal::SIGSEGV, Cause::Unmapped, Access::Read, at);
    expect(write(at), Signal::SIGSEGV, Cause::Unmapped, Access::Write, at);
}

fn an_address_that_no_page_can_have_is_told_apart() {
    let at = ptr::without_provenance_mut(1 << 62);
    expect(read(at), Signal::SIGSEGV, Cause::NonCanonical, Access::Unknown, at);
    expect(write(at), Signal::SIGSEGV, Cause::NonCanonical, Access::Unknown, at);
}

fn past_the_end_of_a_file_it_is_sigbus() {
    let (start, file) = short_file();
    let at = start.wrapping_add(PART + 3);
    expect(read(at), Signal::SIGBUS, Cause::PastEndOfFile, Access::Read, at);
    expect(write(at), Signal::SIGBUS, Cause::PastEndOfFile, Access::Write, at);
    nix::unistd::ftruncate(&file, 2 * PART as i64).unwrap();
    // SAFETY: nobody else has the file.
    assert_eq!(unsafe { guard().write_byte(at, 9) }, Ok(()), "the file has grown");
}

/// `madvise(MADV_GUARD_INSTALL)`, Linux 6.13.
fn guard_install(at: *mut u8, len: usize) -> bool {
    // SAFETY: the callers pass memory of their own that nobody looks at.
    unsafe { libc::madvise(at.cast(), len, 102) == 0 }
}

fn guard_pages() -> Result<(), String> {
    let works = guard_install(pages(OPEN), PART);
    if works { Ok(()) } else { Err("this kernel has no MADV_GUARD_INSTALL (Linux 6.13)".into()) }
}

fn a_guarded_page_looks_unmapped() {
    let at = pages(OPEN);
    assert!(guard_install(at, PART));
    expect(read(at), Signal::SIGSEGV, Cause::Unmapped, Access::Read, at);
    expect(write(at), Signal::SIGSEGV, Cause::Unmapped, Access::Write, at);
}

/// What `return_to_caller` saw.
static SEEN: Mutex<Option<Fault>> = Mutex::new(None);

/// Makes the faulting call return, as if the function had been empty.
extern "C" fn return_to_caller(_: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the arguments of a handler; the thread has just called a function that has not done
    // anything yet, so the return address is where a call puts it. (The lock is free: this thread
    // is in `execute`.)
    unsafe {
        *SEEN.lock().unwrap() = Fault::decode(info, context);
        let registers = &raw mut (*context.cast::<libc::ucontext_t>()).uc_mcontext;
        #[cfg(target_arch = "x86_64")]
        {
            let stack = (*registers).gregs[libc::REG_RSP as usize];
            (*registers).gregs[libc::REG_RIP as usize] = *(stack as *const i64);
            (*registers).gregs[libc::REG_RSP as usize] = stack + 8;
        }
        #[cfg(target_arch = "aarch64")]
        {
            (*registers).pc = (*registers).regs[30];
        }
    }
}

fn execute(at: *const u8) -> Fault {
    // SAFETY: no function is there: the call faults, and `return_to_caller` makes it return.
    unsafe { std::mem::transmute::<*const u8, extern "C" fn()>(at)() };
    SEEN.lock().unwrap().take().unwrap()
}

fn executing_what_may_not_be_executed_is_told_apart_from_reading() {
    let handler = SigHandler::SigAction(return_to_caller);
    let action = SigAction::new(handler, SaFlags::empty(), SigSet::empty());
    // SAFETY: the handler is for the calls in `execute`, and there is no other fault here.
    unsafe { sigaction(Signal::SIGSEGV, &action) }.unwrap();
    // Our handler comes first, and passes on what is no copy.
    install().unwrap();
    let at = pages(OPEN);
    expect(execute(at), Signal::SIGSEGV, Cause::Protection, Access::Execute, at);
    let at = nothing();
    expect(execute(at), Signal::SIGSEGV, Cause::Unmapped, Access::Execute, at);
}

fn both_ends_of_the_address_space_can_be_tried() {
    let mut into = [0; 300];
    for at in [0, 1, 4095, usize::MAX, usize::MAX - 1, usize::MAX - 7, usize::MAX - 299] {
        for len in [1, 2, 3, 4, 8, 9, 16, 33, 64, 65, 128, 300] {
            let at = ptr::without_provenance_mut(at);
            let into = &mut into[..len];
            // SAFETY: no Rust value is there, nor in the kernel's half.
            let (read, write) = unsafe { (guard().read(at, into), guard().write(at, into)) };
            // At the top, the sum wraps round to null: two places to fault at.
            assert_eq!((read.unwrap_err().good, write.unwrap_err().good), (0, 0), "{at:p} {len}");
        }
        // SAFETY: nothing is copied.
        assert_eq!(unsafe { guard().read(ptr::without_provenance(at), &mut []) }, Ok(()));
    }
}

fn words_and_bytes_arrive_whole_when_nothing_is_wrong() {
    let start = pages(OPEN);
    for offset in [0, 1, 3, 4090] {
        let at = start.wrapping_add(offset);
        let word = 0x0123_4567_89ab_cdef_u64 as usize;
        // SAFETY: fresh memory that nobody else knows of.
        unsafe {
            guard().write_word(at.cast(), word).unwrap();
            assert_eq!(guard().read_word(at.cast()), Ok(word));
            guard().write_byte(at, 7).unwrap();
            assert_eq!(guard().read_byte(at), Ok(7));
            guard().copy(at, start.wrapping_add(9000), 500).unwrap();
            assert_eq!(guard().read_byte(start.wrapping_add(9000)), Ok(7));
        }
    }
}
