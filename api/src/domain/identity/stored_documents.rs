//! The documents that a key is bound to: registered when the key is made, never changed, and all that such a key may run.

use std::{collections::HashMap, sync::Arc};

use concord_entities::{api_key, api_key_document, id::ApiKeyId};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use sha2::{Digest, Sha256};

use crate::{
    domain::{App, Code, Ctx, Error, Result, Tx},
    storage::Sha256Hex,
};

/// Most documents of one key.
const MOST: usize = 100;
/// Longest document, in bytes.
const LONGEST: usize = 64 * 1024;
/// Bytes of text that are kept at hand, over all keys.
const AT_HAND: u64 = 32 * 1024 * 1024;

/// Texts by their SHA-256.
pub type Texts = HashMap<[u8; 32], Arc<str>>;

/// What keys are bound to, as far as it was read. It never changes, so it is never read again.
#[derive(Clone)]
pub struct StoredDocuments(moka::sync::Cache<ApiKeyId, Option<Arc<Texts>>>);

impl std::fmt::Debug for StoredDocuments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredDocuments").finish_non_exhaustive()
    }
}

impl Default for StoredDocuments {
    fn default() -> Self {
        let bytes = |_: &ApiKeyId, texts: &Option<Arc<Texts>>| {
            let texts = texts.iter().flat_map(|texts| texts.values());
            u32::try_from(texts.map(|text| text.len() + 64).sum::<usize>() + 64).unwrap_or(u32::MAX)
        };
        Self(moka::sync::Cache::builder().weigher(bytes).max_capacity(AT_HAND).build())
    }
}

/// The documents that a key may run; nothing where it may run any.
pub async fn of(app: &App, key: ApiKeyId) -> Result<Option<Arc<Texts>>> {
    let StoredDocuments(known) = &app.identity.stored_documents;
    if let Some(texts) = known.get(&key) {
        return Ok(texts);
    }
    let row = api_key::Entity::find_by_id(key).one(&app.read).await?.ok_or(Error::Unauthenticated)?;
    let texts = if row.is_bound {
        let documents = api_key_document::Entity::find()
            .filter(api_key_document::Column::ApiKeyId.eq(key))
            .all(&app.read)
            .await?;
        let text = |row: api_key_document::Model| Some((row.hash.try_into().ok()?, row.text.into()));
        Some(Arc::new(documents.into_iter().filter_map(text).collect::<Texts>()))
    } else {
        None
    };
    known.insert(key, texts.clone());
    Ok(texts)
}

/// Registers what a new key is bound to; documents that stand there twice count once.
pub(super) async fn register(tx: &Tx<'_>, key: ApiKeyId, documents: &[String]) -> Result<()> {
    if documents.is_empty() || documents.len() > MOST {
        return Err(Error::invalid(Code::OutOfRange, "documents").with("least", 1).with("most", MOST));
    }
    let mut rows = HashMap::new();
    for (index, text) in documents.iter().enumerate() {
        let field = || format!("documents.{index}");
        if text.trim().is_empty() {
            return Err(Error::invalid(Code::Required, field()));
        }
        if text.len() > LONGEST {
            return Err(Error::invalid(Code::TooLong, field()).with("most", LONGEST));
        }
        if text.contains('\0') {
            return Err(Error::invalid(Code::Malformed, field()).with("expected", "GraphQL"));
        }
        let hash = Sha256::digest(text).to_vec();
        rows.entry(hash.clone()).or_insert_with(|| api_key_document::ActiveModel {
            api_key_id: Set(key),
            hash: Set(hash),
            text: Set(text.clone()),
        });
    }
    api_key_document::Entity::insert_many(rows.into_values()).exec_without_returning(&tx.db).await?;
    Ok(())
}

/// The hashes of the documents of keys, in order.
pub async fn hashes(ctx: &Ctx, keys: &[ApiKeyId]) -> Result<Vec<(ApiKeyId, Sha256Hex)>> {
    use api_key_document::{Column, Entity};
    let rows: Vec<(ApiKeyId, Vec<u8>)> = Entity::find()
        .select_only()
        .columns([Column::ApiKeyId, Column::Hash])
        .filter(Column::ApiKeyId.is_in(keys.iter().copied()))
        .order_by_asc(Column::Hash)
        .into_tuple()
        .all(ctx.read())
        .await?;
    let hex = |(key, hash): (ApiKeyId, Vec<u8>)| Some((key, Sha256Hex::from_digest(hash.try_into().ok()?)));
    Ok(rows.into_iter().filter_map(hex).collect())
}
