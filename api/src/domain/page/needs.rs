//! Which columns of a table a request needs. Reading the others would cost the database and the server more than the rest of
//! a list does, so that a list reads what is asked for; a table of which nothing is told is read whole.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
};

use sea_orm::{
    ColumnTrait, ColumnType, EntityTrait, FromQueryResult, IdenStatic, Iterable, ModelTrait, QueryResult,
    QuerySelect, Select, Value,
};

use crate::domain::{Ctx, Error, Result};

/// The columns that a request needs, by table.
#[derive(Debug, Default)]
pub struct Needs(HashMap<TypeId, Box<dyn Any + Send + Sync>>);

/// The columns needed of one table, and a row without any.
#[derive(Clone, Debug)]
struct Need<E: EntityTrait> {
    columns: Vec<E::Column>,
    blank: E::Model,
}

impl Needs {
    /// Tells that nothing of a table but these columns is needed.
    pub fn only<E>(&mut self, columns: Vec<E::Column>)
    where
        E: EntityTrait<Model: Default + Send + Sync>,
    {
        let need = Need::<E> { columns, blank: E::Model::default() };
        self.0.insert(TypeId::of::<E>(), Box::new(need));
    }
}

/// The columns that a statement reads of a table.
pub(super) struct Chosen<E: EntityTrait> {
    /// Nothing where the whole table is read.
    part: Option<Part<E>>,
}

/// Some columns, each with what it holds, and a row without any.
struct Part<E: EntityTrait> {
    columns: Vec<(E::Column, ColumnType)>,
    blank: E::Model,
}

impl<E: EntityTrait> Chosen<E> {
    /// The whole table.
    pub const fn all() -> Self {
        Self { part: None }
    }

    /// What the request needs, and what the statement itself does.
    pub fn of(ctx: &Ctx, own: impl IntoIterator<Item = E::Column>) -> Self {
        let need = ctx.needs.0.get(&TypeId::of::<E>()).and_then(|need| need.downcast_ref::<Need<E>>());
        let part = need.map(|Need { columns, blank }| {
            let mut chosen: Vec<(E::Column, ColumnType)> = Vec::with_capacity(columns.len() + 4);
            for column in columns.iter().copied().chain(own) {
                if !chosen.iter().any(|(known, _)| known.as_str() == column.as_str()) {
                    chosen.push((column, column.def().get_column_type().clone()));
                }
            }
            Part { columns: chosen, blank: blank.clone() }
        });
        Self { part }
    }

    /// The columns, in the order of the statement.
    pub fn columns(&self) -> Vec<E::Column> {
        self.part.as_ref().map_or_else(
            || E::Column::iter().collect(),
            |part| part.columns.iter().map(|(column, _)| *column).collect(),
        )
    }

    /// Narrows a statement to them.
    pub fn narrow(&self, mut select: Select<E>) -> Select<E> {
        if let Some(part) = &self.part {
            select = select.select_only().columns(part.columns.iter().map(|(column, _)| *column));
        }
        select
    }

    /// Reads a row; what was not read stays blank.
    pub fn read(&self, row: &QueryResult, prefix: &str) -> Result<E::Model> {
        let Some(Part { columns, blank }) = &self.part else {
            return Ok(E::Model::from_query_result(row, prefix)?);
        };
        let mut model = blank.clone();
        for (column, holds) in columns {
            model.try_set(*column, value(row, prefix, column.as_str(), holds)?)?;
        }
        Ok(model)
    }
}

fn value(row: &QueryResult, prefix: &str, name: &str, holds: &ColumnType) -> Result<Value> {
    macro_rules! read {
        ($of:ty) => {
            row.try_get::<Option<$of>>(prefix, name)?.into()
        };
    }
    Ok(match holds {
        ColumnType::Uuid => read!(uuid::Uuid),
        ColumnType::String(_) | ColumnType::Text => read!(String),
        ColumnType::Integer => read!(i32),
        ColumnType::BigInteger => read!(i64),
        ColumnType::Boolean => read!(bool),
        ColumnType::Date => read!(chrono::NaiveDate),
        ColumnType::TimestampWithTimeZone => read!(chrono::DateTime<chrono::Utc>),
        other => return Err(Error::internal(format!("no column of a list holds {other:?}"))),
    })
}
