//! A file's pages as a picture.
