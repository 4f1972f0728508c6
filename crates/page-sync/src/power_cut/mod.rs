//! A disk whose power is cut: what survives, and what it took.
