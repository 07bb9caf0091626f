//! Faces of evidence and the files it consists of.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{
    Context, Enum, ID, InputObject, Object, OneofObject, Result, SimpleObject, dataloader::Loader,
};
use concord_entities::{
    evidence,
    id::{AccountId, EvidenceId, OrganizationId, StoredFileId, TypedId},
    stored_file,
};
use sea_orm::{Condition, EntityTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use super::{
    person::{Person, person},
    transition,
};
use crate::{
    domain::{
        self, Ctx, Error, file,
        list::evidence::{self as verbs, NewEvidence, Subject},
        page,
    },
    graphql::{
        ctx,
        error::{UserError, api_error, user_error},
        governance::organization::Organization,
        id,
        loaders::{self, Loaders},
        node::Node,
        scalar::DateTime,
    },
};

/// What a piece of evidence shows.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "concord_entities::evidence::Stage")]
pub enum EvidenceStage {
    /// The matter as it was found.
    Registration,
    /// Work under way.
    Progress,
    /// The result.
    Closure,
}

/// A file that shows a fact about a problem or a task (佐证材料). It is never changed or taken away.
#[derive(Clone)]
pub struct Evidence {
    row: evidence::Model,
    /// Its file, where it was read along.
    file: Option<Arc<stored_file::Model>>,
}

impl From<evidence::Model> for Evidence {
    fn from(row: evidence::Model) -> Self {
        Self { row, file: None }
    }
}

impl Node for Evidence {
    const NOUN: &'static str = EvidenceId::NOUN;

    async fn find(ctx: &Ctx, id: Uuid) -> domain::Result<Option<Self>> {
        Ok(verbs::find(ctx, id.into()).await?.map(Self::from))
    }
}

impl Evidence {
    async fn file(&self, context: &Context<'_>) -> Result<Arc<stored_file::Model>> {
        if let Some(file) = &self.file {
            return Ok(file.clone());
        }
        loaders::one(context, self.row.file_id)
            .await?
            .map(Arc::new)
            .ok_or_else(|| api_error(ctx(context), &Error::internal("evidence without its file")))
    }

    /// The file, if the viewer may know when and where a picture was taken.
    async fn origin(&self, context: &Context<'_>) -> Result<Option<Arc<stored_file::Model>>> {
        let seats = transition::seats(context, self.row.alliance_id).await?;
        let sees = ctx(context).actor == domain::Actor::System || file::may_see_origin(&seats);
        if sees { self.file(context).await.map(Some) } else { Ok(None) }
    }
}

/// A file that shows a fact about a problem or a task (佐证材料). It is never changed or taken away.
#[Object]
impl Evidence {
    /// Global identifier.
    pub async fn id(&self) -> ID {
        id::encode(self.row.id)
    }

    /// What it shows.
    async fn stage(&self) -> EvidenceStage {
        self.row.stage.into()
    }

    /// The round of the problem it belongs to, from 1.
    async fn round(&self) -> i32 {
        self.row.round
    }

    /// What is to be seen.
    async fn note(&self) -> Option<&str> {
        self.row.note.as_deref()
    }

    /// SHA-256 of the file as it was received, in hexadecimal.
    async fn sha256(&self, context: &Context<'_>) -> Result<String> {
        Ok(self.file(context).await?.sha256.clone())
    }

    /// Size of the file as it was received, in bytes.
    async fn size(&self, context: &Context<'_>) -> Result<i64> {
        Ok(self.file(context).await?.size)
    }

    /// Media type, found by looking at the bytes.
    async fn media_type(&self, context: &Context<'_>) -> Result<String> {
        Ok(self.file(context).await?.media_type.clone())
    }

    /// The file's name as its uploader gave it.
    async fn name(&self, context: &Context<'_>) -> Result<String> {
        Ok(self.file(context).await?.name.clone())
    }

    /// Where to download it, with the same credential. Verifiers, approvers and the committee get the bytes as received,
    /// everybody else a picture's copy without time and place.
    async fn url(&self) -> String {
        format!("/files/{}", id::encode(self.row.file_id).as_str())
    }

    /// When a picture says it was taken; only verifiers, approvers and the committee see it.
    async fn captured_at(&self, context: &Context<'_>) -> Result<Option<DateTime>> {
        Ok(self.origin(context).await?.and_then(|file| file.captured_at).map(DateTime))
    }

    /// Where a picture says it was taken, in degrees north; only verifiers, approvers and the committee see it.
    async fn latitude(&self, context: &Context<'_>) -> Result<Option<f64>> {
        Ok(self.origin(context).await?.and_then(|file| file.latitude))
    }

    /// Where a picture says it was taken, in degrees east; only verifiers, approvers and the committee see it.
    async fn longitude(&self, context: &Context<'_>) -> Result<Option<f64>> {
        Ok(self.origin(context).await?.and_then(|file| file.longitude))
    }

    /// The organisation that brought it, where it was brought for one.
    async fn organization(&self, context: &Context<'_>) -> Result<Option<Organization>> {
        match self.row.organization_id {
            Some(unit) => Ok(loaders::one(context, unit).await?.map(Organization)),
            None => Ok(None),
        }
    }

    /// Who added it.
    async fn added_by(&self, context: &Context<'_>) -> Result<Option<Person>> {
        person(context, self.row.alliance_id, self.row.added_by, self.row.organization_id).await
    }

    /// When it was added.
    async fn added_at(&self) -> DateTime {
        self.row.added_at.into()
    }
}

/// Key of the evidence of a problem or a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EvidenceOf(pub Subject);

impl Loader<EvidenceOf> for Loaders {
    type Value = Vec<Evidence>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[EvidenceOf]) -> Result<HashMap<EvidenceOf, Self::Value>, Self::Error> {
        let (mut problems, mut tasks) = (Vec::new(), Vec::new());
        for key in keys {
            match key.0 {
                Subject::Problem(id) => problems.push(id),
                Subject::Task(id) => tasks.push(id),
            }
        }
        let rows = verbs::visible(&self.0)
            .filter(
                Condition::any()
                    .add(page::among(&self.0, evidence::Column::ProblemId, problems))
                    .add(page::among(&self.0, evidence::Column::TaskId, tasks)),
            )
            .order_by_asc(evidence::Column::AddedAt)
            .order_by_asc(evidence::Column::Id)
            .find_also_related(stored_file::Entity)
            .all(self.0.read())
            .await
            .map_err(|error| Arc::new(Error::from(error)))?;
        let mut found: HashMap<EvidenceOf, Self::Value> = HashMap::new();
        for (row, file) in rows {
            let subject = match (row.problem_id, row.task_id) {
                (Some(id), _) => Subject::Problem(id),
                (None, Some(id)) => Subject::Task(id),
                (None, None) => continue,
            };
            found.entry(EvidenceOf(subject)).or_default().push(Evidence { row, file: file.map(Arc::new) });
        }
        Ok(found)
    }
}

impl Loader<StoredFileId> for Loaders {
    type Value = stored_file::Model;
    type Error = Arc<Error>;

    // Reached only through evidence that the viewer sees.
    async fn load(&self, keys: &[StoredFileId]) -> Result<HashMap<StoredFileId, Self::Value>, Self::Error> {
        let rows = stored_file::Entity::find()
            .filter(page::among(&self.0, stored_file::Column::Id, keys.iter().copied()))
            .all(self.0.read())
            .await
            .map_err(|error| Arc::new(Error::from(error)))?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }
}

impl Evidence {
    /// Whoever supplied it, where it shows the result.
    pub fn supplier(&self) -> Option<AccountId> {
        self.row.added_by.filter(|_| self.row.stage == evidence::Stage::Closure)
    }

    /// The organisation that brought it.
    pub fn brought_by(&self) -> Option<OrganizationId> {
        self.row.organization_id
    }

    /// Whether it belongs to a round of its problem.
    pub fn is_of(&self, round: i32) -> bool {
        self.row.round == round
    }

    /// Whether it shows the result, in a round of its problem.
    pub fn closes(&self, round: i32) -> bool {
        self.row.stage == evidence::Stage::Closure && self.row.round == round
    }
}

/// The evidence of a problem or a task, in the order in which it was added.
pub async fn evidence_of(context: &Context<'_>, subject: Subject) -> Result<Vec<Evidence>> {
    Ok(loaders::one(context, EvidenceOf(subject)).await?.unwrap_or_default())
}

/// What the evidence is about: exactly one of the two.
#[derive(OneofObject)]
pub enum EvidenceSubjectInput {
    /// A problem.
    ProblemId(ID),
    /// A priority task.
    TaskId(ID),
}

/// Evidence to add.
#[derive(InputObject)]
pub struct AddEvidenceInput {
    /// What it is about.
    subject: EvidenceSubjectInput,
    /// Files uploaded by the caller within the last hour, at most 20.
    file_ids: Vec<ID>,
    /// What it shows.
    stage: EvidenceStage,
    /// What is to be seen, at most 1,000 characters.
    note: Option<String>,
}

impl AddEvidenceInput {
    fn read(self) -> domain::Result<NewEvidence> {
        Ok(NewEvidence {
            subject: match &self.subject {
                EvidenceSubjectInput::ProblemId(id) => Subject::Problem(id::decode(id, "subject.problemId")?),
                EvidenceSubjectInput::TaskId(id) => Subject::Task(id::decode(id, "subject.taskId")?),
            },
            files: id::decode_all(&self.file_ids, "fileIds")?,
            stage: self.stage.into(),
            note: self.note,
        })
    }
}

/// What came of adding evidence.
#[derive(SimpleObject)]
pub struct AddEvidencePayload {
    /// The evidence, one piece for each file.
    evidence: Vec<Evidence>,
    /// What the caller can mend; empty when the evidence was added.
    user_errors: Vec<UserError>,
}

#[derive(Default)]
pub struct EvidenceMutation;

#[Object]
impl EvidenceMutation {
    /// Adds uploaded files as evidence. The responsible organisations may, whoever registered the problem, verifiers and
    /// the committee; closure evidence only while a problem is in progress or submitted, or a joint organisation's part is.
    async fn add_evidence(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The evidence.")] input: AddEvidenceInput,
    ) -> Result<AddEvidencePayload> {
        let ctx = ctx(context);
        let result = async { verbs::add(ctx, input.read()?).await }.await;
        let result = match result {
            Err(Error::Replayed(Some(id))) => verbs::added_with(ctx, id.into()).await,
            other => other,
        };
        Ok(match result {
            Ok(rows) => AddEvidencePayload {
                evidence: rows.into_iter().map(Evidence::from).collect(),
                user_errors: Vec::new(),
            },
            Err(error) => {
                AddEvidencePayload { evidence: Vec::new(), user_errors: vec![user_error(ctx, &error)?] }
            }
        })
    }
}
