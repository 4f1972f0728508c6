//! What has to be done besides, so that a file is there after a power cut.
