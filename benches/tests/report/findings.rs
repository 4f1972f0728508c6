//! A browser's answers.

use std::fs;
use std::process::Command;

use serde::Deserialize;
use testkit::{Finished, Program};

/// Of one width.
#[derive(Debug, Deserialize)]
pub struct Findings {
    pub width: u32,
    /// The plots that can be seen, by their section's id.
    pub plots: Vec<String>,
    /// What is wrong, a sentence each.
    pub wrong: Vec<String>,
    /// What the page has asked somebody for.
    pub asked: Vec<String>,
    /// How many characters can be read.
    pub text: usize,
}

/// A phone, a laptop, a projector.
pub const WIDTHS: [u32; 3] = [390, 1280, 1920];

/// What a browser says about a page, at each width. Also asserts that it logs no error, and talks to
/// nobody.
pub fn of(page: &str) -> Vec<Findings> {
    let folder = testkit::folder();
    let quoted = page.replace('&', "&amp;").replace('"', "&quot;");
    // The page as it is, its own policy included, in frames: the script stays outside.
    let frames: String = WIDTHS
        .map(|width| {
            format!("<iframe width=\"{width}\" height=\"800\" srcdoc=\"{quoted}\"></iframe>\n")
        })
        .concat();
    let html = format!(
        "<!DOCTYPE html><meta charset=\"utf-8\"><link rel=\"icon\" href=\"data:,\">\
         <style>iframe{{border:0}}</style>\n{frames}<pre id=\"findings\"></pre>\n<script>{}</script>",
        include_str!("findings.js")
    );
    let (outer, log) = (folder.file("outer.html"), folder.file("net.json"));
    fs::write(&outer, html).unwrap();
    let Finished { status, stdout, stderr } = Program::run(
        Command::new("chromium")
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--disable-dev-shm-usage",
                "--disable-features=NetworkTimeServiceQuerying,OptimizationHints,MediaRouter",
                "--host-resolver-rules=MAP * ~NOTFOUND",
                "--enable-logging=stderr",
                "--window-size=2000,1000",
                "--dump-dom",
            ])
            .arg(format!("--user-data-dir={}", folder.file("profile").display()))
            .arg(format!("--log-net-log={}", log.display()))
            .arg(format!("file://{}", outer.display()))
            .env("HOME", folder.path()),
    );
    assert!(status.success(), "{stderr}");
    let console: Vec<_> = stderr.lines().filter(|line| line.contains(":CONSOLE")).collect();
    assert!(console.is_empty(), "{console:?}");
    let net = fs::read_to_string(&log).unwrap_or_default();
    assert!(net.contains("outer.html"), "the log of its requests has not even the page");
    let asked: Vec<_> = net
        .split("\"url\":\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .filter(|url| ["http", "ws"].iter().any(|scheme| url.starts_with(scheme)))
        // The browser's own errands: what the time is, whether there is a newer browser.
        .filter(|url| !url.split('/').nth(2).is_some_and(|host| host.ends_with(".google.com")))
        .collect();
    assert!(asked.is_empty(), "it asked for {asked:?}");
    let begin = "<pre id=\"findings\">";
    let said = stdout.split(begin).nth(1).and_then(|rest| rest.split("</pre>").next());
    serde_json::from_str(said.unwrap_or_default())
        .unwrap_or_else(|error| panic!("{error}: {said:?}\n{stderr}"))
}
