//! What the command line asks for, and how much time there is for it.

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs};

use criterion::Criterion;
use manyhands_measure::record::{NewFile, legible};

/// How long everything may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Length {
    /// 25 minutes for all groups, on two cores.
    Full,
    /// 5 minutes: `--quick`.
    Quick,
    /// Everything once, to see that it runs: `--test`.
    Test,
    /// Nothing but the names: `--list`.
    List,
}

pub(crate) struct Plan {
    length: Length,
    /// A group, or a part of an id.
    filter: Option<String>,
    filter_is_group: bool,
    /// The folder in which tables are recorded.
    record: Option<PathBuf>,
}

impl Plan {
    /// What asks for records: the name of a folder, from that of this package.
    const RECORD: &str = "MANYHANDS_RECORD";

    /// Criterion reads the same arguments; here is what the tables need of
    /// them.
    pub(crate) fn from_args(
        args: impl IntoIterator<Item = String>,
        groups: &[&str],
    ) -> Self {
        /// Those of criterion's options that are followed by a value.
        const VALUED: [&str; 18] = [
            "--baseline",
            "--baseline-lenient",
            "--color",
            "--colour",
            "--confidence-level",
            "--format",
            "--load-baseline",
            "--measurement-time",
            "--noise-threshold",
            "--nresamples",
            "--output-format",
            "--plotting-backend",
            "--profile-time",
            "--sample-size",
            "--save-baseline",
            "--significance-level",
            "--warm-up-time",
            "-c",
        ];
        let mut plan = Self {
            length: Length::Full,
            filter: None,
            filter_is_group: false,
            record: None,
        };
        let mut args = args.into_iter();
        while let Some(arg) = args.next() {
            match &*arg {
                "--quick" => plan.length = Length::Quick,
                "--test" => plan.length = Length::Test,
                "--list" => plan.length = Length::List,
                option if VALUED.contains(&option) => drop(args.next()),
                option if option.starts_with('-') => {}
                _ => {
                    plan.filter_is_group = groups.contains(&&*arg);
                    plan.filter = Some(arg);
                }
            }
        }
        plan
    }

    /// Criterion with this much time for each id.
    pub(crate) fn criterion(&self) -> Criterion {
        let (warm_up, time, samples) = match self.length {
            Length::Full => (100, 500, 15), // 3 s, 5 s, 100
            _ => (40, 150, 10),
        };
        let criterion = Criterion::default()
            // Of 100,000, the drawing takes three times as long as the
            // measuring.
            .nresamples(20_000)
            .warm_up_time(Duration::from_millis(warm_up))
            .measurement_time(Duration::from_millis(time))
            .sample_size(samples);
        match self.length {
            Length::Full => criterion,
            // Drawing takes longer than measuring.
            _ => criterion.without_plots(),
        }
    }

    /// Has the tables recorded if the environment asks for it. `tables` are a
    /// group and a table of it each.
    ///
    /// # Errors
    ///
    /// One line, if there can be no record of one that will be measured: it is
    /// there already, say.
    pub(crate) fn recorded(
        mut self,
        tables: &[(&str, &str)],
    ) -> Result<Self, String> {
        let folder = env::var_os(Self::RECORD);
        let folder = folder.filter(|folder| !folder.is_empty());
        if self.length == Length::List {
            return Ok(self);
        }
        self.record = folder.map(PathBuf::from);
        if let Some(folder) = &self.record {
            fs::create_dir_all(folder).map_err(|why| {
                let shown = legible(&folder.to_string_lossy());
                format!(
                    "{} is {shown}, which is no folder ({why}); allowed is a \
                     folder, or a name for one",
                    Self::RECORD
                )
            })?;
            for (group, table) in tables {
                if self.wants_group(group) {
                    NewFile::at(file_of(folder, table))?;
                }
            }
        }
        Ok(self)
    }

    /// Where a table is to be recorded, if it is.
    pub(crate) fn record(&self, table: &str) -> Option<PathBuf> {
        self.record.as_ref().map(|folder| file_of(folder, table))
    }

    /// How thorough it is, in a word.
    pub(crate) fn length(&self) -> &'static str {
        match self.length {
            Length::Full => "full",
            Length::Quick => "quick",
            Length::Test | Length::List => "test",
        }
    }

    /// Whether anything of this group may be asked for.
    pub(crate) fn wants_group(&self, group: &str) -> bool {
        let Some(filter) = &self.filter else { return true };
        !self.filter_is_group || filter == group
    }

    /// Whether this row of a table is to be measured. With `--list`, prints
    /// its name instead.
    pub(crate) fn wants(&self, id: &str) -> bool {
        let wanted = match &self.filter {
            Some(filter) if !self.filter_is_group => id.contains(filter),
            _ => true,
        };
        if wanted && self.length == Length::List {
            println!("{id}: benchmark");
        }
        wanted && self.length != Length::List
    }

    /// One of three numbers: for all, for `--quick`, for `--test`.
    pub(crate) fn choose<T>(&self, full: T, quick: T, test: T) -> T {
        match self.length {
            Length::Full => full,
            Length::Quick => quick,
            Length::Test | Length::List => test,
        }
    }
}

fn file_of(folder: &Path, table: &str) -> PathBuf {
    folder.join(format!("{table}.csv"))
}
