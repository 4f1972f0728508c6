//! msync over any bytes. Slide "msync".
