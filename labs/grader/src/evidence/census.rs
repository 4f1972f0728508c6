//! All System V objects there are: /proc/sysvipc (proc_sysvipc(5)).

use std::collections::HashMap;
use std::fs;

use ipc_common::{Error, Result};
use serde::{Deserialize, Serialize};

use super::sys;
use crate::sandbox::Identity;

/// What kind of object it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// Shared memory.
    Segment,
    /// A set of semaphores.
    Semaphores,
    /// A message queue.
    Queue,
}

/// A row of /proc/sysvipc.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Object {
    /// What it is.
    pub kind: Kind,
    /// Its key; 0 for IPC_PRIVATE.
    pub key: i32,
    /// Its number.
    pub id: i32,
    /// The owner's user id.
    pub owner: u32,
    /// The creator's user id.
    pub creator: u32,
    /// Whose doing it is: the creator's process id, of a queue the last sender's; 0 if the table does
    /// not say.
    pub maker: i32,
    /// How often a segment is attached; 0 of others.
    pub attached: u64,
    /// How many bytes of memory it occupies now; 0 if the table does not say.
    pub resident: u64,
}

/// All objects that this process's IPC namespace has, in order.
///
/// # Errors
///
/// If the kernel was built without System V IPC.
pub fn all() -> Result<Vec<Object>> {
    let mut found = Vec::new();
    for (kind, name) in [(Kind::Segment, "shm"), (Kind::Semaphores, "sem"), (Kind::Queue, "msg")] {
        let path = format!("/proc/sysvipc/{name}");
        let table = fs::read_to_string(&path).map_err(|e| Error::from_io("open", &e, &path))?;
        let mut rows = table.lines();
        let head: Vec<&str> = rows.next().unwrap_or_default().split_whitespace().collect();
        found.extend(rows.filter_map(|row| object(kind, &head, row)));
    }
    found.sort_unstable();
    Ok(found)
}

/// By the names at the head of the table: the three differ.
fn object(kind: Kind, head: &[&str], row: &str) -> Option<Object> {
    let row: HashMap<&str, &str> = head.iter().copied().zip(row.split_whitespace()).collect();
    let id = row.get("shmid").or(row.get("semid")).or(row.get("msqid"))?;
    let resident = row.get("rss").or(row.get("cbytes")).and_then(|n| n.parse().ok()).unwrap_or(0);
    let attached = row.get("nattch").and_then(|n| n.parse().ok()).unwrap_or(0);
    let maker = row.get("cpid").or(row.get("lspid")).and_then(|pid| pid.parse().ok()).unwrap_or(0);
    Some(Object {
        kind,
        maker,
        key: row.get("key")?.parse().ok()?,
        id: id.parse().ok()?,
        owner: row.get("uid")?.parse().ok()?,
        creator: row.get("cuid")?.parse().ok()?,
        attached,
        resident,
    })
}

impl Object {
    /// Removes it, as its owner would.
    ///
    /// # Errors
    ///
    /// Those of shmctl(2), semctl(2) and msgctl(2).
    pub fn remove(self, identity: Identity) -> Result<()> {
        identity.does(|| match self.kind {
            Kind::Segment => sys::remove_segment(self.id),
            Kind::Semaphores => sys::remove_semaphores(self.id),
            Kind::Queue => sys::remove_queue(self.id),
        })
    }
}

impl std::fmt::Display for Object {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = match self.kind {
            Kind::Segment => "segment",
            Kind::Semaphores => "semaphore set",
            Kind::Queue => "message queue",
        };
        write!(f, "{kind} {} with key {:#010x}", self.id, self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_by_the_names_of_their_columns() {
        let head =
            "key shmid perms size cpid lpid nattch uid gid cuid cgid atime dtime ctime rss swap";
        let head: Vec<&str> = head.split_whitespace().collect();
        let row = "-1161977855 32770 600 4096 7 8 2 1000 1001 1002 1003 1 2 3 8192 0";
        let object = object(Kind::Segment, &head, row).unwrap();
        assert_eq!((object.key, object.id, object.owner), (-1_161_977_855, 32770, 1000));
        assert_eq!((object.creator, object.maker, object.resident), (1002, 7, 8192));
        assert_eq!(object.attached, 2);
    }
}
