//! A job as it is written down: with what must travel with it.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::Error;

/// What a store keeps of a job, besides what its engine knows.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Envelope<'a> {
    /// Of this form. A reader that does not know it must not guess.
    pub(crate) v: u32,
    /// When it was submitted, in milliseconds since 1970.
    pub(crate) at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) serial: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) trace: Option<String>,
    /// The job itself.
    #[serde(borrow)]
    pub(crate) job: &'a RawValue,
}

/// The form that is written.
pub(crate) const VERSION: u32 = 1;

/// The largest job, in bytes of JSON. A job is to name what it works on, and
/// not to hold it.
pub(crate) const LARGEST: usize = 1 << 20;

impl<'a> Envelope<'a> {
    /// # Errors
    ///
    /// In words, when it is not an envelope, or of a form that is not known.
    pub(crate) fn open(text: &'a str) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Form {
            v: u32,
        }
        if text.len() > 2 * LARGEST {
            return Err(format!("{} bytes are too many", text.len()));
        }
        let form: Form = serde_json::from_str(text)
            .map_err(|error| format!("not a stored job: {error}"))?;
        if form.v != VERSION {
            let v = form.v;
            return Err(format!("stored in form {v}; this is form {VERSION}"));
        }
        serde_json::from_str(text)
            .map_err(|error| format!("not a stored job: {error}"))
    }

    pub(crate) fn seal(&self) -> Result<String, Error> {
        serde_json::to_string(self).map_err(|error| {
            Error::Invalid(format!("the job cannot be written: {error}"))
        })
    }
}
