//! What the services answer.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::{SampleService, Settings};

/// What the handlers answer from.
#[derive(Debug, Clone)]
struct Identity {
    service: SampleService,
    version: String,
    pod: String,
}

/// The routes of a service.
pub(super) fn router(service: SampleService, settings: &Settings) -> Router {
    let identity = Identity {
        service,
        version: settings.version.clone(),
        pod: settings.pod.clone(),
    };
    let common = Router::new()
        .route("/", get(root))
        .route("/version", get(version));
    match service {
        SampleService::User => common
            .route("/users", get(users))
            .route("/users/{id}", get(user))
            .route("/stats", get(stats)),
        SampleService::Payment => common.route("/payments", get(payments).post(pay)),
    }
    .with_state(identity)
}

/// The present as the services write it: ISO 8601, UTC, milliseconds.
fn now() -> String {
    jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%S.%3fZ")
        .to_string()
}

async fn root(State(identity): State<Identity>) -> Json<Value> {
    let (service, version) = (identity.service.name(), &identity.version);
    Json(json!({
        "service": service,
        "version": version,
        "status": "healthy",
        "timestamp": now(),
        "message": format!("Hello from {service} v{version}!"),
        "pod": identity.pod,
    }))
}

async fn version(State(identity): State<Identity>) -> Json<Value> {
    let is_first = identity.version == "1.0.0";
    let features: &[&str] = match (identity.service, is_first) {
        (SampleService::User, true) => &["basic-users"],
        (SampleService::User, false) => &["basic-users", "user-profiles", "premium-features"],
        (SampleService::Payment, true) => &["basic-payments"],
        (SampleService::Payment, false) => &["basic-payments", "advanced-analytics"],
    };
    Json(json!({
        "service": identity.service.name(),
        "version": identity.version,
        "buildDate": now(),
        "features": features,
    }))
}

/// The people that user-service knows.
const USERS: [(u32, &str); 3] = [(1, "Aiko"), (2, "Ben"), (3, "Chie")];

async fn users() -> Json<Value> {
    let users: Vec<Value> = USERS
        .iter()
        .map(|(id, name)| json!({"id": id, "name": name}))
        .collect();
    Json(json!({"users": users, "total": users.len()}))
}

async fn user(Path(id): Path<u32>) -> (StatusCode, Json<Value>) {
    match USERS.iter().find(|(known, _)| *known == id) {
        Some((id, name)) => (StatusCode::OK, Json(json!({"id": id, "name": name}))),
        None => (
            StatusCode::NOT_FOUND,
            Json(json!({"error": format!("no user {id}")})),
        ),
    }
}

async fn stats(State(identity): State<Identity>) -> Json<Value> {
    if identity.version == "1.0.0" {
        return Json(json!({"error": "statistics begin with version 2.0.0"}));
    }
    Json(json!({"users": USERS.len(), "version": identity.version}))
}

async fn payments() -> Json<Value> {
    Json(json!({"payments": [{"id": 1, "amount": 1200, "currency": "JPY"}], "total": 1}))
}

async fn pay(Json(payment): Json<Value>) -> (StatusCode, Json<Value>) {
    (
        StatusCode::CREATED,
        Json(json!({"status": "accepted", "payment": payment})),
    )
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    use super::*;

    async fn ask(service: SampleService, version: &str, path: &str) -> (u16, Value) {
        let env = [("VERSION".to_owned(), version.to_owned())].into();
        let settings = Settings::from_env(&env, "web-1").unwrap();
        let request = axum::http::Request::get(path).body(Body::empty()).unwrap();
        let response = router(service, &settings).oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    #[tokio::test]
    async fn the_root_says_who_answers() {
        let (status, mut body) = ask(SampleService::Payment, "2.0.0", "/").await;
        assert_eq!(status, 200);
        let timestamp = body["timestamp"].take();
        assert!(
            timestamp
                .as_str()
                .unwrap()
                .parse::<jiff::Timestamp>()
                .is_ok()
        );
        assert_eq!(
            body,
            json!({
                "service": "payment-service",
                "version": "2.0.0",
                "status": "healthy",
                "timestamp": null,
                "message": "Hello from payment-service v2.0.0!",
                "pod": "web-1",
            })
        );
    }

    #[tokio::test]
    async fn each_service_has_its_own_paths() {
        assert_eq!(ask(SampleService::User, "1.0.0", "/users").await.0, 200);
        assert_eq!(ask(SampleService::User, "1.0.0", "/users/9").await.0, 404);
        assert_eq!(ask(SampleService::User, "1.0.0", "/payments").await.0, 404);
        assert_eq!(
            ask(SampleService::Payment, "1.0.0", "/payments").await.0,
            200
        );
        let (_, body) = ask(SampleService::User, "2.0.0", "/version").await;
        assert_eq!(body["features"].as_array().unwrap().len(), 3);
    }
}
