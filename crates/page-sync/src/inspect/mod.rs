//! What the kernel says about a page, each source labelled with what it is true for.
