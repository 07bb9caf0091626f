//! Files: received from whoever is signed in, kept an hour until something is attached to them, and given to whoever may
//! see what they hang on. What they show is `domain::list::evidence`'s; where the bytes lie is `storage`'s.

mod picture;
mod shelf;

use std::fmt::Display;

use chrono::TimeDelta;
use concord_entities::{
    evidence,
    id::{AllianceId, StoredFileId},
    seat,
    stored_file::{self, Column, Entity, Model},
};
use futures_util::{Stream, TryStreamExt};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter,
    sea_query::Expr,
};

use crate::{
    domain::{
        Action, Actor, Code, Ctx, Error, Result, Tx,
        list::evidence as evidences,
        policy::{self, Grant},
        text,
    },
    storage::{self, Download, MediaType, Sha256Hex},
};

pub use self::shelf::sweep;

/// How long a file waits to be attached.
const WAITS: TimeDelta = TimeDelta::hours(1);
/// Most files of one person that wait at a time.
const MOST_WAITING: u64 = 100;
/// Longest name.
const NAME: usize = 200;

/// Receives a file. It is the uploader's alone until a mutation attaches it, and vanishes if none does within the hour.
pub async fn receive<S, B, E>(ctx: &Ctx, chunks: S, name: Option<&str>) -> Result<Model>
where
    S: Stream<Item = std::result::Result<B, E>>,
    B: AsRef<[u8]>,
    E: Display,
{
    let account = ctx.account_id()?;
    let name = text::optional(name.map(base_name), "name", NAME)?;
    let seated = seat::Entity::find()
        .filter(seat::Column::AccountId.eq(account))
        .filter(seat::Column::State.eq(seat::State::Active))
        .count(ctx.read())
        .await?;
    if seated == 0 {
        return Err(Error::Forbidden);
    }
    let waiting = Entity::find()
        .filter(Column::UploadedBy.eq(account))
        .filter(Column::ExpiresAt.gt(ctx.now()))
        .count(ctx.read())
        .await?;
    if waiting >= MOST_WAITING {
        return Err(Error::refused(Code::TooManyFiles).with("most", MOST_WAITING));
    }
    let stored = ctx.app.files.put(chunks, ctx.app.config.files.max_bytes).await.map_err(refused)?;
    match keep(ctx, &stored, name).await {
        Ok(row) => Ok(row),
        Err(error) => {
            shelf::discard(ctx, &stored.sha256).await?;
            Err(error)
        }
    }
}

/// Reads what a picture tells, makes its clean copy, and notes the file.
async fn keep(ctx: &Ctx, stored: &storage::Stored, name: Option<String>) -> Result<Model> {
    let seen = match picture::Kind::of(stored.media_type) {
        Some(kind) => Some(picture::look(whole(ctx, &stored.sha256).await?, kind).await?),
        None => None,
    };
    let (told, copy) = match seen {
        Some(picture::Seen { told, copy }) => (told, Some(put_copy(ctx, copy).await?)),
        None => (picture::Told::default(), None),
    };
    let default = || format!("file.{}", stored.media_type.extension());
    let row = stored_file::ActiveModel {
        id: Set(ctx.new_id()),
        sha256: Set(stored.sha256.to_string()),
        size: Set(i64::try_from(stored.size).map_err(Error::internal)?),
        media_type: Set(stored.media_type.mime().to_owned()),
        name: Set(name.unwrap_or_else(default)),
        captured_at: Set(told.captured_at),
        latitude: Set(told.place.map(|(latitude, _)| latitude)),
        longitude: Set(told.place.map(|(_, longitude)| longitude)),
        copy_sha256: Set(copy.as_ref().map(|copy| copy.sha256.to_string())),
        uploaded_by: Set(ctx.author()),
        uploaded_at: Set(ctx.now()),
        expires_at: Set(Some(ctx.now() + WAITS)),
    };
    let tx = ctx.begin().await?;
    for sha256 in std::iter::once(&stored.sha256).chain(copy.as_ref().map(|copy| &copy.sha256)) {
        shelf::hold(&tx, sha256).await?;
        // The sweep may have cleared equal bytes away between their arrival and this moment.
        if !ctx.app.files.exists(sha256).await.map_err(refused)? {
            return Err(Error::Unavailable("the bytes were swept away".into()));
        }
    }
    let row = row.insert(&tx.db).await?;
    tx.commit(row.id).await?;
    Ok(row)
}

async fn put_copy(ctx: &Ctx, copy: Vec<u8>) -> Result<storage::Stored> {
    // A clean copy may be larger than the original: the limit is for what people send.
    let limit = u64::try_from(copy.len()).unwrap_or(u64::MAX);
    let chunks = futures_util::stream::iter([Ok::<_, std::convert::Infallible>(copy)]);
    ctx.app.files.put(chunks, limit).await.map_err(refused)
}

async fn whole(ctx: &Ctx, sha256: &Sha256Hex) -> Result<Vec<u8>> {
    let download = ctx.app.files.get(sha256).await.map_err(refused)?;
    let chunks: Vec<_> = download.chunks.try_collect().await.map_err(refused)?;
    Ok(chunks.concat())
}

/// The last part of a name: browsers of old send whole paths.
fn base_name(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or(name)
}

/// What a failure of the storage means to a caller.
fn refused(error: storage::Error) -> Error {
    match error {
        storage::Error::TooLarge { limit } => Error::refused(Code::FileTooLarge).with("most", limit),
        storage::Error::Unsupported => Error::refused(Code::FileTypeRefused),
        storage::Error::Source(_) => Error::refused(Code::UploadIncomplete),
        storage::Error::NotFound | storage::Error::Damaged(_) | storage::Error::Settings(_) => {
            Error::internal(error)
        }
        storage::Error::Io { .. } | storage::Error::Bucket(_) => Error::Unavailable(error.into()),
    }
}

/// Attaches waiting files of the caller to what the unit of work is about; each once.
pub async fn attach(tx: &Tx<'_>, ids: &[StoredFileId], field: &'static str) -> Result<Vec<Model>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let uploader = tx.ctx.account_id()?;
    let mut wanted = ids.to_vec();
    wanted.sort_unstable();
    wanted.dedup();
    if wanted.len() != ids.len() {
        return Err(Error::invalid(Code::AlreadyExists, field));
    }
    let attached = Entity::update_many()
        .col_expr(Column::ExpiresAt, Expr::value(Option::<chrono::DateTime<chrono::Utc>>::None))
        .filter(Column::Id.is_in(wanted.iter().copied()))
        .filter(Column::UploadedBy.eq(uploader))
        .filter(Column::ExpiresAt.gt(tx.ctx.now()))
        .exec_with_returning(&tx.db)
        .await?;
    if attached.len() != wanted.len() {
        return Err(Error::NotFound("stored_file"));
    }
    // In the order in which they were named.
    Ok(ids.iter().filter_map(|id| attached.iter().find(|file| file.id == *id).cloned()).collect())
}

/// A file on its way to a reader.
#[derive(Debug)]
pub struct Opened {
    pub name: String,
    pub media_type: String,
    pub sha256: Sha256Hex,
    pub download: Download,
}

/// Opens a file for whoever may see what it hangs on, or sent it and has not attached it yet. Who verifies gets the bytes
/// as received; everybody else gets a picture's copy without the place and time at which it was taken.
pub async fn open(ctx: &Ctx, id: StoredFileId) -> Result<Opened> {
    let account = match ctx.actor {
        Actor::Account { id, .. } => Some(id),
        Actor::System => None,
        // Files may show people, and a dashboard's key holds no personal data.
        Actor::Key(_) => return Err(Error::Forbidden),
        Actor::Anonymous => return Err(Error::Unauthenticated),
    };
    let missing = || Error::NotFound("stored_file");
    let attached = evidences::visible(ctx)
        .filter(evidence::Column::FileId.eq(id))
        .find_also_related(Entity)
        .one(ctx.read())
        .await?;
    let (file, original) = match (attached, account) {
        (Some((shown, Some(file))), _) => (file, sees_origin(ctx, shown.alliance_id).await?),
        (_, Some(account)) => {
            let own = Entity::find_by_id(id)
                .filter(Column::UploadedBy.eq(account))
                .filter(Column::ExpiresAt.gt(ctx.now()))
                .one(ctx.read())
                .await?;
            (own.ok_or_else(missing)?, true)
        }
        _ => return Err(missing()),
    };
    let digest = match &file.copy_sha256 {
        Some(copy) if !original => copy,
        _ => &file.sha256,
    };
    let sha256: Sha256Hex = digest.parse().map_err(Error::internal)?;
    let download = ctx.app.files.get(&sha256).await.map_err(refused)?;
    Ok(Opened { name: file.name, media_type: file.media_type, sha256, download })
}

/// Whether the caller may know when and where a picture was taken.
async fn sees_origin(ctx: &Ctx, alliance: AllianceId) -> Result<bool> {
    let Actor::Account { id, .. } = ctx.actor else {
        return Ok(ctx.actor == Actor::System);
    };
    Ok(may_see_origin(&policy::active_seats(ctx.read(), id, alliance).await?))
}

/// Verifiers, approvers and the committee judge evidence, so they see when and where it was taken.
pub fn may_see_origin(seats: &[seat::Model]) -> bool {
    seats.iter().any(|seat| policy::grant(seat.role, Action::ReturnProblem) == Grant::Any)
}

/// The media type under which a file is handed out.
pub fn served_as(media_type: &str) -> &'static str {
    MediaType::from_mime(media_type).map_or("application/octet-stream", MediaType::mime)
}
