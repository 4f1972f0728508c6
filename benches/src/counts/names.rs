//! Names of the system calls that a bench may make: libc has the numbers, nobody the names.

macro_rules! names {
    ($($name:ident = $number:ident),+ $(,)?) => {
        /// `mmap`, or `system call 451` for one that no bench makes.
        pub fn name(number: u64) -> String {
            let known = match i64::try_from(number) {
                $(Ok(libc::$number) => Some(stringify!($name)),)+
                _ => None,
            };
            known.map_or_else(|| format!("system call {number}"), str::to_owned)
        }
    };
}

names! {
    read = SYS_read, write = SYS_write, pread64 = SYS_pread64, pwrite64 = SYS_pwrite64,
    readv = SYS_readv, writev = SYS_writev, lseek = SYS_lseek, openat = SYS_openat,
    close = SYS_close, fstat = SYS_fstat, newfstatat = SYS_newfstatat, statx = SYS_statx, ftruncate = SYS_ftruncate,
    fallocate = SYS_fallocate, fsync = SYS_fsync, fdatasync = SYS_fdatasync,
    fadvise64 = SYS_fadvise64, fcntl = SYS_fcntl, mmap = SYS_mmap, munmap = SYS_munmap,
    mremap = SYS_mremap, mprotect = SYS_mprotect, madvise = SYS_madvise, msync = SYS_msync,
    mincore = SYS_mincore, brk = SYS_brk, rt_sigaction = SYS_rt_sigaction,
    rt_sigreturn = SYS_rt_sigreturn, rt_sigprocmask = SYS_rt_sigprocmask,
    sigaltstack = SYS_sigaltstack, futex = SYS_futex, shmget = SYS_shmget, shmat = SYS_shmat,
    shmdt = SYS_shmdt, shmctl = SYS_shmctl, semop = SYS_semop, semtimedop = SYS_semtimedop,
    semctl = SYS_semctl, sendto = SYS_sendto, recvfrom = SYS_recvfrom, sendmsg = SYS_sendmsg,
    recvmsg = SYS_recvmsg, sched_yield = SYS_sched_yield, getppid = SYS_getppid,
    getpid = SYS_getpid, gettid = SYS_gettid, clock_nanosleep = SYS_clock_nanosleep,
    clock_gettime = SYS_clock_gettime, getrandom = SYS_getrandom, exit_group = SYS_exit_group,
    prctl = SYS_prctl,
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_call_has_its_name_and_an_unknown_one_its_number() {
        assert_eq!(super::name(libc::SYS_mmap.unsigned_abs()), "mmap");
        assert_eq!(super::name(9_999), "system call 9999");
        assert_eq!(super::name(u64::MAX), format!("system call {}", u64::MAX));
    }
}
