//! Files of exactly so many pages. Slide "sysconf: Creating page-sized memory mapped segments".
