//! Inputs of priority tasks, and how they are read.

use async_graphql::{ID, InputObject, MaybeUndefined};

use super::priority_task::PriorityTaskState;
use crate::{
    domain::{
        Result,
        list::{
            priority_task::{Edit, NewPriorityTask, PriorityTaskChange},
            search::Window,
            task_milestone::NewMilestone,
            task_read::Filter,
        },
    },
    graphql::{
        id,
        scalar::{Date, YearMonth},
    },
};

/// Which priority tasks to show; what is absent does not narrow.
#[derive(InputObject, Default)]
pub struct PriorityTaskFilter {
    /// Only those of this alliance.
    alliance_id: Option<ID>,
    /// Only those of this list.
    task_list_id: Option<ID>,
    /// Only those of lists of this month.
    month: Option<YearMonth>,
    /// Only those that this organisation leads or co-organises.
    organization_id: Option<ID>,
    /// Only those that this organisation leads.
    lead_organization_id: Option<ID>,
    /// Only those in one of these states.
    states: Option<Vec<PriorityTaskState>>,
    /// Only those on which work remains, or only those on which none does.
    open: Option<bool>,
    /// Only those due on this day or later.
    due_from: Option<Date>,
    /// Only those due on this day or earlier.
    due_to: Option<Date>,
    /// Only those of this region and the regions below it.
    region_id: Option<ID>,
    /// Only those with all of these words in title or content, at most 100 characters; case does not matter.
    text: Option<String>,
    /// Only those on which work remains and that are due within so many days from today by the alliance's calendar, 0 for
    /// today alone; at most 3,660. What is overdue is not among them.
    due_within_days: Option<i32>,
    /// Only those on which work remains and that are overdue by so many days or more, 1 to 3,660.
    overdue_by_days: Option<i32>,
    /// Only those that a unit of the caller's leads or co-organises, or only all others. Only for people.
    mine: Option<bool>,
}

impl PriorityTaskFilter {
    pub fn read(self) -> Result<Filter> {
        Ok(Filter {
            alliance_id: id::decode_optional(self.alliance_id.as_ref(), "filter.allianceId")?,
            task_list_id: id::decode_optional(self.task_list_id.as_ref(), "filter.taskListId")?,
            month_on: self.month.map(|month| month.0),
            organization_id: id::decode_optional(self.organization_id.as_ref(), "filter.organizationId")?,
            lead_organization_id: id::decode_optional(
                self.lead_organization_id.as_ref(),
                "filter.leadOrganizationId",
            )?,
            states: self.states.map(|states| states.into_iter().map(Into::into).collect()),
            open: self.open,
            due_from: self.due_from.map(|on| on.0),
            due_to: self.due_to.map(|on| on.0),
            region_id: id::decode_optional(self.region_id.as_ref(), "filter.regionId")?,
            text: self.text,
            window: Window {
                due_within_days: self.due_within_days,
                overdue_by_days: self.overdue_by_days,
                mine: self.mine,
            },
        })
    }
}

/// A milestone that a task is written with.
#[derive(InputObject)]
pub struct TaskMilestoneInput {
    /// What is to be reached, at most 200 characters.
    title: String,
    /// By when.
    due_on: Date,
}

/// What a priority task is written with.
#[derive(InputObject)]
pub struct CreatePriorityTaskInput {
    /// The list it comes on, at its end.
    task_list_id: ID,
    /// What it is called, at most 200 characters.
    title: String,
    /// What is to be done, at most 4,000 characters.
    content: String,
    /// When it counts as done, at most 2,000 characters.
    criterion: Option<String>,
    /// Document, meeting or demand it comes from, at most 200 characters.
    source: Option<String>,
    /// The member organisation that leads.
    lead_organization_id: ID,
    /// Member organisations that work on it beside the lead, at most 50.
    #[graphql(default)]
    co_organization_ids: Vec<ID>,
    /// The community it concerns, within the alliance's territory.
    region_id: Option<ID>,
    /// First day of work.
    starts_on: Option<Date>,
    /// Last day, by the alliance's calendar.
    due_on: Date,
    /// Person responsible in the lead unit, at most 64 characters.
    responsible_name: Option<String>,
    /// Its milestones, at most 50.
    #[graphql(default)]
    milestones: Vec<TaskMilestoneInput>,
}

impl CreatePriorityTaskInput {
    pub fn read(self) -> Result<NewPriorityTask> {
        Ok(NewPriorityTask {
            task_list_id: id::decode(&self.task_list_id, "taskListId")?,
            title: self.title,
            content: self.content,
            criterion: self.criterion,
            source: self.source,
            lead_organization_id: id::decode(&self.lead_organization_id, "leadOrganizationId")?,
            co_organization_ids: id::decode_all(&self.co_organization_ids, "coOrganizationIds")?,
            region_id: id::decode_optional(self.region_id.as_ref(), "regionId")?,
            starts_on: self.starts_on.map(|on| on.0),
            due_on: self.due_on.0,
            responsible_name: self.responsible_name,
            milestones: self
                .milestones
                .into_iter()
                .map(|milestone| NewMilestone { title: milestone.title, due_on: milestone.due_on.0 })
                .collect(),
        })
    }
}

/// What the committee changes of a priority task; what is absent stays, what is null is taken away.
#[derive(InputObject)]
pub struct UpdatePriorityTaskInput {
    /// The task.
    pub(super) task_id: ID,
    /// The version that the caller read.
    pub(super) expected_version: i64,
    /// What it is called, at most 200 characters.
    title: Option<String>,
    /// What is to be done, at most 4,000 characters.
    content: Option<String>,
    /// When it counts as done, at most 2,000 characters.
    criterion: MaybeUndefined<String>,
    /// Document, meeting or demand it comes from, at most 200 characters.
    source: MaybeUndefined<String>,
    /// The member organisation that leads.
    lead_organization_id: Option<ID>,
    /// All member organisations that work on it beside the lead, at most 50.
    co_organization_ids: Option<Vec<ID>>,
    /// The community it concerns, within the alliance's territory.
    region_id: MaybeUndefined<ID>,
    /// First day of work.
    starts_on: MaybeUndefined<Date>,
    /// Last day, by the alliance's calendar.
    due_on: Option<Date>,
    /// Person responsible in the lead unit, at most 64 characters.
    responsible_name: MaybeUndefined<String>,
}

impl UpdatePriorityTaskInput {
    pub fn read(self) -> Result<PriorityTaskChange> {
        Ok(PriorityTaskChange {
            title: self.title,
            content: self.content,
            criterion: edit(self.criterion),
            source: edit(self.source),
            lead_organization_id: id::decode_optional(
                self.lead_organization_id.as_ref(),
                "leadOrganizationId",
            )?,
            co_organization_ids: self
                .co_organization_ids
                .map(|ids| id::decode_all(&ids, "coOrganizationIds"))
                .transpose()?,
            region_id: match self.region_id {
                MaybeUndefined::Undefined => Edit::Keep,
                MaybeUndefined::Null => Edit::Clear,
                MaybeUndefined::Value(region) => Edit::To(id::decode(&region, "regionId")?),
            },
            starts_on: edit(self.starts_on.map_value(|on| on.0)),
            due_on: self.due_on.map(|on| on.0),
            responsible_name: edit(self.responsible_name),
        })
    }
}

/// Absent stays, null takes away.
pub(super) fn edit<T>(value: MaybeUndefined<T>) -> Edit<T> {
    match value {
        MaybeUndefined::Undefined => Edit::Keep,
        MaybeUndefined::Null => Edit::Clear,
        MaybeUndefined::Value(value) => Edit::To(value),
    }
}

/// Declares the input of a step that takes nothing but the task.
macro_rules! plain_step {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(InputObject)]
        pub struct $name {
            /// The task.
            pub(super) task_id: ID,
            /// The version that the caller read, if it matters.
            pub(super) expected_version: Option<i64>,
        }
    };
}

plain_step!(
    /// The priority task to publish.
    PublishPriorityTaskInput
);
plain_step!(
    /// The priority task that the lead unit takes on.
    AcknowledgePriorityTaskInput
);
plain_step!(
    /// The priority task that the committee accepts as done.
    CompletePriorityTaskInput
);

/// A report on a priority task.
#[derive(InputObject)]
pub struct ReportProgressInput {
    /// The task.
    pub(super) task_id: ID,
    /// The version that the caller read, if it matters.
    pub(super) expected_version: Option<i64>,
    /// What was done, at most 2,000 characters.
    pub(super) note: String,
    /// How much of the task is done, 0 to 100; absent means as before.
    pub(super) percent: Option<i32>,
}

/// The priority task that the lead unit submits as done.
#[derive(InputObject)]
pub struct SubmitPriorityTaskInput {
    /// The task.
    pub(super) task_id: ID,
    /// The version that the caller read, if it matters.
    pub(super) expected_version: Option<i64>,
    /// A closing note for the progress log, at most 2,000 characters.
    pub(super) note: Option<String>,
}

/// Declares the input of a step that takes a reason.
macro_rules! reasoned_step {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(InputObject)]
        pub struct $name {
            /// The task.
            pub(super) task_id: ID,
            /// The version that the caller read, if it matters.
            pub(super) expected_version: Option<i64>,
            /// Why, at most 1,000 characters.
            pub(super) reason: String,
        }
    };
}

reasoned_step!(
    /// The priority task that the committee returns for rework.
    ReturnPriorityTaskInput
);
reasoned_step!(
    /// The priority task that the committee gives up.
    CancelPriorityTaskInput
);

/// A milestone that the committee sets a task.
#[derive(InputObject)]
pub struct AddTaskMilestoneInput {
    /// The task.
    pub(super) task_id: ID,
    /// What is to be reached, at most 200 characters.
    pub(super) title: String,
    /// By when.
    pub(super) due_on: Date,
}

/// The milestone that has been reached.
#[derive(InputObject)]
pub struct ReachTaskMilestoneInput {
    /// The milestone.
    pub(super) milestone_id: ID,
}
