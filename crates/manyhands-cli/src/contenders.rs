//! Who takes part: the list of variants, and the baseline.

use anyhow::anyhow;
use manyhands::{
    AsyncJob, Claims, Config, InlinePool, Job, Variant, WorkerPool, variants,
};
use manyhands_workloads::{Answer, WorkError, WorkJob};

/// The baseline's name: the jobs one after the other, on the submitter's
/// thread. 1.00 in every comparison.
pub(crate) const INLINE: &str = "inline";

/// A pool to be run: a variant, or the baseline.
#[derive(Debug)]
pub(crate) struct Contender<J: Job> {
    pub(crate) name: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) origin: &'static str,
    /// What it does in a way of its own.
    pub(crate) claims: Claims,
    /// How it is made; `None` for the baseline.
    variant: Option<Variant<J>>,
}

impl<J: Job + 'static> Contender<J> {
    /// The baseline.
    pub(crate) fn inline() -> Self {
        Self {
            name: INLINE,
            summary: "no pool: the submitter runs each job itself",
            origin: "the baseline of every comparison",
            claims: Claims::default(),
            variant: None,
        }
    }

    /// Starts a fresh pool. The baseline needs no configuration.
    pub(crate) fn make(
        &self,
        config: Config,
    ) -> anyhow::Result<Box<dyn WorkerPool<J>>> {
        let Some(variant) = &self.variant else {
            return Ok(Box::new(InlinePool::new()));
        };
        let name = self.name;
        // The error says all of its source; a context would say it twice.
        variant.make(config).map_err(|it| anyhow!("cannot make {name}: {it}"))
    }
}

impl<J: Job> From<Variant<J>> for Contender<J> {
    fn from(variant: Variant<J>) -> Self {
        Self {
            name: variant.name,
            summary: variant.summary,
            origin: variant.origin,
            claims: variant.claims,
            variant: Some(variant),
        }
    }
}

/// The baseline, and then every variant.
pub(crate) fn all<J, T, E>() -> Vec<Contender<J>>
where
    J: AsyncJob + Job<Output = Result<T, E>> + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    let variants = variants::<J, T, E>().into_iter().map(Contender::from);
    std::iter::once(Contender::inline()).chain(variants).collect()
}

/// Their names.
pub(crate) fn names() -> Vec<&'static str> {
    let all = all::<WorkJob, Answer, WorkError>();
    all.iter().map(|contender| contender.name).collect()
}

/// The names without the baseline's.
pub(crate) fn variant_names() -> Vec<&'static str> {
    names().into_iter().filter(|name| *name != INLINE).collect()
}
