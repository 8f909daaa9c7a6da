//! Why a limit was not set.

use std::fmt;

use manyhands_core::{BuildError, ConfigError};

/// Why a limit was not set.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SetLimitError {
    /// It is not within what is allowed.
    Range(ConfigError),
    /// Functions of the group are running.
    Active,
}

impl SetLimitError {
    pub(crate) fn range(mut error: ConfigError) -> Self {
        error.field = "limit";
        Self::Range(error)
    }
}

/// For a group that is being built, in which no function runs yet.
impl From<SetLimitError> for BuildError {
    fn from(error: SetLimitError) -> Self {
        match error {
            SetLimitError::Range(error) => Self::Config(error),
            SetLimitError::Active => Self::Spawn(std::io::Error::other(error)),
        }
    }
}

impl fmt::Display for SetLimitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Range(error) => error.fmt(f),
            Self::Active => f.write_str(
                "the limit cannot change while functions of the group run",
            ),
        }
    }
}

impl std::error::Error for SetLimitError {}
