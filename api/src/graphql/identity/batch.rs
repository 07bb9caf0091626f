//! What accounts and keys carry along, read for many of them at once.

use std::{collections::HashMap, sync::Arc};

use async_graphql::dataloader::Loader;
use concord_entities::{
    alliance, external_identity,
    id::{AccountId, ApiKeyId},
    seat,
};
use sea_orm::{QueryFilter, QueryOrder};

use crate::{
    domain::{Error, identity, page},
    graphql::loaders::Loaders,
};

/// Whether the caller may see the full name and number of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct InClear(pub AccountId);

/// The roles of a person, as far as the caller may see them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SeatsOf(pub AccountId);

/// The external identities of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IdentitiesOf(pub AccountId);

/// The alliances that a key reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AlliancesOf(pub ApiKeyId);

/// The hashes of the documents that a key is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DocumentsOf(pub ApiKeyId);

fn gather<K: std::hash::Hash + Eq, V>(pairs: impl IntoIterator<Item = (K, V)>) -> HashMap<K, Vec<V>> {
    let mut lists: HashMap<K, Vec<V>> = HashMap::new();
    for (key, value) in pairs {
        lists.entry(key).or_default().push(value);
    }
    lists
}

impl Loader<InClear> for Loaders {
    type Value = bool;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[InClear]) -> Result<HashMap<InClear, bool>, Self::Error> {
        let ids: Vec<AccountId> = keys.iter().map(|key| key.0).collect();
        let clear = identity::account::in_clear(&self.0, &ids).await.map_err(Arc::new)?;
        Ok(keys.iter().map(|key| (*key, clear.contains(&key.0))).collect())
    }
}

impl Loader<SeatsOf> for Loaders {
    type Value = Vec<seat::Model>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[SeatsOf]) -> Result<HashMap<SeatsOf, Self::Value>, Self::Error> {
        let rows = identity::seat::visible(&self.0)
            .filter(page::among(&self.0, seat::Column::AccountId, keys.iter().map(|key| key.0)))
            .order_by_asc(seat::Column::Id)
            .all(self.0.read())
            .await
            .map_err(|error| Arc::new(error.into()))?;
        Ok(gather(rows.into_iter().map(|row| (SeatsOf(row.account_id), row))))
    }
}

impl Loader<IdentitiesOf> for Loaders {
    type Value = Vec<external_identity::Model>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[IdentitiesOf]) -> Result<HashMap<IdentitiesOf, Self::Value>, Self::Error> {
        let rows = identity::external_identity::visible(&self.0)
            .filter(page::among(&self.0, external_identity::Column::AccountId, keys.iter().map(|key| key.0)))
            .order_by_asc(external_identity::Column::Id)
            .all(self.0.read())
            .await
            .map_err(|error| Arc::new(error.into()))?;
        Ok(gather(rows.into_iter().map(|row| (IdentitiesOf(row.account_id), row))))
    }
}

impl Loader<AlliancesOf> for Loaders {
    type Value = Vec<alliance::Model>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[AlliancesOf]) -> Result<HashMap<AlliancesOf, Self::Value>, Self::Error> {
        let ids: Vec<ApiKeyId> = keys.iter().map(|key| key.0).collect();
        let pairs = identity::api_key::scopes(&self.0, &ids).await.map_err(Arc::new)?;
        Ok(gather(pairs.into_iter().map(|(key, alliance)| (AlliancesOf(key), alliance))))
    }
}

impl Loader<DocumentsOf> for Loaders {
    type Value = Vec<String>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[DocumentsOf]) -> Result<HashMap<DocumentsOf, Self::Value>, Self::Error> {
        let ids: Vec<ApiKeyId> = keys.iter().map(|key| key.0).collect();
        let pairs = identity::stored_documents::hashes(&self.0, &ids).await.map_err(Arc::new)?;
        Ok(gather(pairs.into_iter().map(|(key, hash)| (DocumentsOf(key), hash.to_string()))))
    }
}
