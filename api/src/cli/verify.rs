//! `concord verify`: walks the event chain, holds it against the checkpoints, and counts the lists anew.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{Failure, Outcome, build};
use crate::{
    config::Config,
    domain::{
        App, Ctx,
        chain::{self, Marks, checkpoint},
        identity::signing::PublicKeys,
        list::{certificate as certificates, recount},
        mobilization::coverage,
    },
};

/// How the command was called.
#[derive(Args)]
pub struct Verify {
    /// Checkpoints kept elsewhere: a file, or a folder of files; may be given several times
    #[arg(long, value_name = "PATH")]
    checkpoints: Vec<PathBuf>,

    /// A strike-off certificate to check instead, as JSON or PDF, without a database
    #[arg(long, value_name = "FILE", requires = "keys", conflicts_with = "checkpoints")]
    certificate: Option<PathBuf>,

    /// The published keys that it is checked with, as /.well-known/jwks.json serves them
    #[arg(long, value_name = "FILE", requires = "certificate")]
    keys: Option<PathBuf>,
}

/// Checks a certificate with nothing but the published keys.
fn certificate(certificate: &Path, keys: &Path) -> Outcome {
    let read = |path: &Path| {
        std::fs::read(path).map_err(|error| Failure::wrong(format!("{}: {error}", path.display())))
    };
    let wrong =
        |path: &Path, error: &dyn std::fmt::Display| Failure::wrong(format!("{}: {error}", path.display()));
    let public = PublicKeys::parse(&read(keys)?).map_err(|error| wrong(keys, &error))?;
    let (said, proven) =
        certificates::check(&read(certificate)?, &public).map_err(|error| wrong(certificate, &error))?;
    eprintln!(
        "concord: {} was struck off at {} by {}, after {} pieces of evidence; a checkpoint of {} vouches for it",
        said.number,
        proven.occurred_at.to_rfc3339(),
        said.approvers.iter().map(|approver| approver.name.as_str()).collect::<Vec<_>>().join(", "),
        said.evidence.len(),
        proven.vouched_at.to_rfc3339()
    );
    if proven.payload.is_none() {
        eprintln!(
            "concord: what else its event said was erased at the wish of whom it named; that it happened, when, and to which \
             problem holds by the chain, the rest by the signature alone"
        );
    }
    Ok(())
}

pub async fn run(config: Config, command: Verify) -> Outcome {
    if let (Some(path), Some(keys)) = (&command.certificate, &command.keys) {
        return certificate(path, keys);
    }
    // Copies that were never made must not pass for copies that agree.
    if let Some(path) = command.checkpoints.iter().find(|path| path.exists() && is_empty(path)) {
        return Err(Failure::wrong(format!("{} holds no checkpoint", path.display())));
    }
    let app = build(config, false).await?;
    // What waits for its seal is sealed first, so that a stopped node's last events count too.
    let ctx = Ctx::system(&app);
    while chain::seal(&ctx).await.map_err(|error| Failure::wrong(format!("sealing: {error:?}")))? > 0 {}
    holds(&app, command.checkpoints).await?;
    let different = recount::first_difference(ctx.read())
        .await
        .map_err(|error| Failure::wrong(format!("counting: {error:?}")))?;
    if let Some(counter) = different {
        return Err(Failure::wrong(format!(
            "the alliance {} counts {} of \"{}\" where there are {}",
            counter.alliance_id, counter.counted, counter.what, counter.found
        )));
    }
    eprintln!("concord: the counters of both lists equal a recount");
    let different = coverage::first_difference(ctx.read())
        .await
        .map_err(|error| Failure::wrong(format!("counting: {error:?}")))?;
    if let Some(counter) = different {
        return Err(Failure::wrong(format!(
            "the mobilisation {} counts {} of \"{}\" at {} where there are {}",
            counter.mobilization_id, counter.counted, counter.what, counter.region_id, counter.found
        )));
    }
    eprintln!("concord: what mobilisations cover equals a recount of needs and check-ins");
    Ok(())
}

/// Whether a file, or every file of a folder, is empty.
fn is_empty(path: &Path) -> bool {
    let has_bytes = |path: &Path| path.metadata().is_ok_and(|of| of.len() > 0);
    match path.read_dir() {
        Ok(mut inner) => !inner.any(|entry| entry.is_ok_and(|entry| has_bytes(&entry.path()))),
        Err(_) => !has_bytes(path),
    }
}

/// Walks the chain and holds it against every checkpoint at hand and the copies named.
pub(super) async fn holds(app: &App, mut copies: Vec<PathBuf>) -> Outcome {
    let own = checkpoint::folder(&app.config);
    if own.exists() {
        copies.push(own);
    }
    // Read before the walk: what is sealed meanwhile only lies beyond them.
    let marks = Marks::read(&app.read, &app.identity.keys, &copies).await.map_err(Failure::wrong)?;
    let found = chain::verify(&app.read, &marks)
        .await
        .map_err(|error| Failure::wrong(format!("reading: {error:?}")))?;
    if let Some(link) = found.first_break {
        return Err(Failure::wrong(format!(
            "the chain {} breaks at position {}: {}",
            link.chain_id, link.position, link.what
        )));
    }
    eprintln!(
        "concord: {} events in {} chains hold together ({} erased), as {} checkpoints say",
        found.events,
        found.chains,
        found.erased,
        marks.count()
    );
    Ok(())
}
