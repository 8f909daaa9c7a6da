//! A page in a headless Chromium, as its readers have it: narrow or wide,
//! light or dark, with scripts or without; and what it does meanwhile.

#![forbid(unsafe_code)]

pub mod book;
mod pipe;

use std::ffi::OsString;
use std::fmt;
use std::path::Path;

use anyhow::{Context, bail};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::pipe::Pipe;

/// How a reader has a page.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// In CSS pixels.
    pub width: u32,
    /// True for light writing on a dark ground.
    pub is_dark: bool,
    /// True if scripts may run.
    pub has_scripts: bool,
}

impl View {
    /// A phone and a desk, light and dark, with scripts and without.
    pub fn all() -> impl Iterator<Item = Self> {
        [390, 1280].into_iter().flat_map(|width| {
            [false, true].into_iter().flat_map(move |is_dark| {
                [true, false].into_iter().map(move |has_scripts| Self {
                    width,
                    is_dark,
                    has_scripts,
                })
            })
        })
    }
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_dark { "dark" } else { "light" };
        let scripts = if self.has_scripts { "scripts" } else { "plain" };
        write!(f, "{}-{scheme}-{scripts}", self.width)
    }
}

/// A key that is more than a letter.
#[derive(Clone, Copy, Debug)]
pub enum Key {
    /// Goes to the next thing.
    Tab,
    /// Presses what one is at.
    Enter,
    /// One to the right, or more.
    Right,
    /// One to the left, or less.
    Left,
    /// To the last.
    End,
}

impl Key {
    /// What the browser calls it, and what it writes.
    fn name(self) -> (&'static str, u32, &'static str) {
        match self {
            Self::Tab => ("Tab", 9, ""),
            Self::Enter => ("Enter", 13, "\r"),
            Self::Right => ("ArrowRight", 39, ""),
            Self::Left => ("ArrowLeft", 37, ""),
            Self::End => ("End", 35, ""),
        }
    }
}

/// A browser that runs as long as this lives.
pub struct Reader {
    pipe: Pipe,
}

/// An open page, and what it has done since.
pub struct Opened<'a> {
    pipe: &'a mut Pipe,
    view: View,
    target: String,
    session: String,
}

/// What a page has done.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// What it asked for, itself first.
    pub requests: Vec<String>,
    /// What it complained of.
    pub complaints: Vec<String>,
}

impl Reader {
    /// Starts the browser that `CHROME` names.
    ///
    /// # Errors
    ///
    /// It cannot be started.
    pub fn start() -> anyhow::Result<Self> {
        let chrome = named("CHROME");
        let mut pipe = Pipe::start(Path::new(&chrome))?;
        pipe.call(None, "Browser.getVersion", &json!({}))
            .context("no browser starts")?;
        Ok(Self { pipe })
    }

    /// Opens a file, and waits until it is loaded and asks for no more.
    ///
    /// # Errors
    ///
    /// The browser does not do as it is told.
    pub fn open(
        &mut self,
        file: &Path,
        view: View,
    ) -> anyhow::Result<Opened<'_>> {
        let pipe = &mut self.pipe;
        let blank = json!({"url": "about:blank"});
        let made = pipe.call(None, "Target.createTarget", &blank)?;
        let target = text(&made["targetId"])?;
        let which = json!({"targetId": target, "flatten": true});
        let made = pipe.call(None, "Target.attachToTarget", &which)?;
        let session = text(&made["sessionId"])?;
        let mut page = Opened { pipe, view, target, session };
        for part in ["Network", "Log", "Runtime", "Page"] {
            page.call(&format!("{part}.enable"), &json!({}))?;
        }
        page.set_height(900)?;
        let scheme = if view.is_dark { "dark" } else { "light" };
        let scheme =
            json!([{"name": "prefers-color-scheme", "value": scheme}]);
        page.call("Emulation.setEmulatedMedia", &json!({"features": scheme}))?;
        page.call(
            "Emulation.setScriptExecutionDisabled",
            &json!({"value": !view.has_scripts}),
        )?;
        page.go_to(file)?;
        Ok(page)
    }
}

impl Opened<'_> {
    /// What it has done up to now.
    pub fn seen(&self) -> Seen {
        let mut seen = Seen::default();
        let events = self.pipe.events().iter();
        for event in events.filter(|it| it["sessionId"] == *self.session) {
            let told = &event["params"];
            match event["method"].as_str().unwrap_or_default() {
                "Network.requestWillBeSent" => {
                    let url = told["request"]["url"].as_str();
                    seen.requests.push(url.unwrap_or_default().to_owned());
                }
                "Log.entryAdded"
                | "Runtime.exceptionThrown"
                | "Runtime.consoleAPICalled" => {
                    seen.complaints.push(told.to_string());
                }
                _ => {}
            }
        }
        seen
    }

    /// What an expression of JavaScript is, or what it promises. It is the
    /// reader's own question, for which the page's scripts need not run.
    ///
    /// # Errors
    ///
    /// It cannot be worked out.
    pub fn ask(&mut self, expression: &str) -> anyhow::Result<Value> {
        let mut answer = self.call(
            "Runtime.evaluate",
            &json!({"expression": expression, "returnByValue": true,
                "awaitPromise": true}),
        )?;
        if !answer["exceptionDetails"].is_null() {
            bail!("{expression}: {}", answer["exceptionDetails"]);
        }
        Ok(answer["result"]["value"].take())
    }

    /// The page as a picture, in PNG; of a very long one its beginning.
    ///
    /// # Errors
    ///
    /// The browser makes none.
    pub fn picture(&mut self) -> anyhow::Result<Vec<u8>> {
        /// As much as the browser draws at once.
        const MOST: u64 = 12_000;
        let height = self.ask("document.documentElement.scrollHeight")?;
        self.set_height(height.as_u64().context("no height")?.min(MOST))?;
        let made =
            self.call("Page.captureScreenshot", &json!({"format": "png"}))?;
        Ok(BASE64_STANDARD.decode(text(&made["data"])?)?)
    }

    /// Waits until an expression of JavaScript is true.
    ///
    /// # Errors
    ///
    /// It is not, however long one waits.
    pub fn until(&mut self, expression: &str) -> anyhow::Result<()> {
        let becomes = format!(
            "new Promise(done => {{ const look = () => \
             ({expression}) ? done(true) : setTimeout(look, 10); look(); }})"
        );
        self.ask(&becomes)?;
        Ok(())
    }

    /// Presses a key and lets go of it.
    ///
    /// # Errors
    ///
    /// The browser does not do as it is told.
    pub fn press(&mut self, key: Key) -> anyhow::Result<()> {
        let (name, number, text) = key.name();
        for kind in ["keyDown", "keyUp"] {
            let key = json!({"type": kind, "key": name, "code": name,
                "windowsVirtualKeyCode": number, "text": text});
            self.call("Input.dispatchKeyEvent", &key)?;
        }
        Ok(())
    }

    /// Writes where the cursor is.
    ///
    /// # Errors
    ///
    /// The browser does not do as it is told.
    pub fn write(&mut self, text: &str) -> anyhow::Result<()> {
        self.call("Input.insertText", &json!({"text": text}))?;
        Ok(())
    }

    /// What overflows the page, or is cut off. What is wider than the page
    /// scrolls in a box of its own.
    ///
    /// # Errors
    ///
    /// The browser does not say.
    pub fn overflow(&mut self) -> anyhow::Result<Vec<String>> {
        let wide = self.ask("document.documentElement.scrollWidth")?;
        let wide = wide.as_u64().context("no width")?;
        let cut = self.ask(
            "[...document.querySelectorAll('body, body *')].filter(it => \
             !(it instanceof SVGElement) && \
             ['hidden', 'clip'].includes(getComputedStyle(it).overflowX) \
             && it.scrollWidth > it.clientWidth)\
             .map(it => 'cut off: ' + it.outerHTML.slice(0, 80))",
        )?;
        let mut found: Vec<String> = serde_json::from_value(cut)?;
        if wide > self.view.width.into() {
            found.push(format!("{wide} pixels"));
        }
        Ok(found)
    }

    /// Presses the key that goes to the next thing, and says what that is.
    ///
    /// # Errors
    ///
    /// The browser does not do as it is told.
    pub fn tab_key(&mut self) -> anyhow::Result<String> {
        self.press(Key::Tab)?;
        let reached = self.ask(
            "document.activeElement.tagName + ' ' + \
             (document.activeElement.getAttribute('aria-label') ?? \
              document.activeElement.textContent.trim().slice(0, 60))",
        )?;
        text(&reached)
    }

    fn go_to(&mut self, file: &Path) -> anyhow::Result<()> {
        self.call(
            "Page.setLifecycleEventsEnabled",
            &json!({"enabled": true}),
        )?;
        let url = format!("file://{}", file.display());
        let gone = self.call("Page.navigate", &json!({"url": url}))?;
        if !gone["errorText"].is_null() {
            bail!("{url}: {}", gone["errorText"]);
        }
        let loader = &gone["loaderId"];
        self.pipe.wait_for(|event| {
            let told = &event["params"];
            event["method"] == "Page.lifecycleEvent"
                && told["loaderId"] == *loader
                && told["name"] == "networkIdle"
        })
    }

    fn set_height(&mut self, height: u64) -> anyhow::Result<()> {
        let is_phone = self.view.width < 600;
        let size = json!({"width": self.view.width, "height": height,
            "deviceScaleFactor": 1, "mobile": is_phone});
        self.call("Emulation.setDeviceMetricsOverride", &size)?;
        Ok(())
    }

    fn call(&mut self, method: &str, params: &Value) -> anyhow::Result<Value> {
        self.pipe.call(Some(&self.session), method, params)
    }
}

impl Drop for Opened<'_> {
    fn drop(&mut self) {
        let which = json!({"targetId": self.target});
        let _ = self.pipe.call(None, "Target.closeTarget", &which);
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reader(..)")
    }
}

impl fmt::Debug for Opened<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("seen", &self.seen()).finish()
    }
}

fn text(value: &Value) -> anyhow::Result<String> {
    let text = value.as_str().with_context(|| format!("no text: {value}"))?;
    Ok(text.to_owned())
}

/// The program whose pages these are, as `MANYHANDS` names it.
pub fn program() -> OsString {
    named("MANYHANDS")
}

/// What a variable of the environment names.
///
/// # Panics
///
/// It is not set.
pub fn named(variable: &str) -> OsString {
    std::env::var_os(variable).unwrap_or_else(|| {
        panic!("{variable} is not set: run .ci/browser, or .ci/book")
    })
}
