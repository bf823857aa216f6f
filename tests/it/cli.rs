//! What a person types, through the program itself.

mod init;
mod local;
mod operations;
mod service;
mod terminal;

use crate::support::program::run;

#[test]
fn manual_pages_go_to_a_folder_that_need_not_be_there() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("share/man1");
    assert_eq!(run(&["man", pages.to_str().unwrap()]).code, 0);
    assert!(pages.join("siaga-init.1").exists());
}
