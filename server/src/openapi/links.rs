//! Links: what an answer names, and the routes that take it.

use serde_json::{Map, Value, json};

use super::document::{operation_id, path_parameters};
use crate::api::ROUTES;

/// Where an answer of a schema holds the name of something: the schema, the place, the parameters that take it.
type Named = (&'static str, &'static str, &'static [&'static str]);

const NAMED: &[Named] = &[
    ("Submitted", "/task/id", &["task_id"]),
    ("Submitted", "/runs/0/run_id", &["run_id", "job_id"]),
    ("SubmittedDeferred", "/task/id", &["task_id"]),
    ("TaskList", "/tasks/0/id", &["task_id"]),
    ("RunList", "/runs/0/run_id", &["run_id", "job_id"]),
    ("RunBrief", "/run_id", &["run_id", "job_id"]),
    ("RunRetried", "/run_id", &["run_id"]),
    ("JobList", "/jobs/0/id", &["job_id", "run_id"]),
    ("JobHistory", "/jobs/0/id", &["job_id", "run_id"]),
    ("ClaimAnswer", "/leases/0/run_id", &["run_id"]),
    ("ActorRegistered", "/actor_id", &["actor_id"]),
    ("ActorList", "/actors/0/actor_id", &["actor_id"]),
    ("MadeKey", "/key_id", &["key_id"]),
    ("ApprovalBrief", "/approval_id", &["approval_id"]),
    ("ApprovalPage", "/approvals/0/approval_id", &["approval_id"]),
    ("Operation", "/operation_id", &["operation_id"]),
    (
        "OperationList",
        "/operations/0/operation_id",
        &["operation_id"],
    ),
    (
        "DeadLetterPage",
        "/dead_letters/0/run_id",
        &["run_id", "job_id"],
    ),
    ("WebhookSecret", "/webhook_id", &["webhook_id"]),
    ("WebhookList", "/webhooks/0/webhook_id", &["webhook_id"]),
    ("Subscribed", "/subscription_id", &["subscription_id"]),
    ("Tenant", "/tenant_id", &["tenant_id"]),
    ("TenantList", "/tenants/0/tenant_id", &["tenant_id"]),
];

/// Schemas whose answer holds a lease: then the routes about a run take its token in their body.
const LEASED: &str = "ClaimAnswer";
const WITH_TOKEN: &[&str] = &["heartbeat", "finish", "checkpoints", "consume"];

/// The links of an answer with this schema, by name.
pub(super) fn links(schema: &str) -> Map<String, Value> {
    let mut links = Map::new();
    for (_, place, takers) in NAMED.iter().filter(|(name, ..)| *name == schema) {
        for route in ROUTES {
            let mut names = path_parameters(route.path);
            let Some(name) = names.find(|name| takers.contains(name)) else {
                continue;
            };
            let operation = operation_id(route);
            let mut link = json!({
                "operationId": operation,
                "parameters": {name: format!("$response.body#{place}")},
            });
            let last = route.path.rsplit('/').next().unwrap_or_default();
            if schema == LEASED && WITH_TOKEN.contains(&last) {
                link["requestBody"] = json!({"token": "$response.body#/leases/0/token"});
            }
            links.insert(operation, link);
        }
    }
    links
}

#[cfg(test)]
mod tests {
    use super::NAMED;
    use crate::openapi::schemas::schemas;

    #[test]
    fn every_link_begins_at_a_schema_of_the_document_and_leads_to_a_route() {
        for (name, place, _) in NAMED {
            assert!(schemas().any(|schema| schema.name == *name), "{name}");
            assert!(!super::links(name).is_empty(), "{name} {place}");
        }
    }
}
