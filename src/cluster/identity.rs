//! Who the cluster is to its clients: a CA of its own, a server certificate, a bearer token, and
//! the kubeconfig that holds them.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::json;

/// Why the certificates could not be made.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// A certificate could not be signed.
    #[error("could not make the cluster's certificates")]
    Certificate(#[from] rcgen::Error),
    /// The TLS library refused them.
    #[error("could not set up TLS for the API server")]
    Tls(#[from] rustls::Error),
}

/// The keys of one cluster, made anew for each.
pub(crate) struct Identity {
    /// The certificate of the CA, in PEM.
    pub(crate) ca: String,
    pub(crate) token: Arc<str>,
    pub(crate) tls: Arc<rustls::ServerConfig>,
}

impl Identity {
    /// Makes the keys for a server that is reached at some addresses.
    ///
    /// # Errors
    /// [`IdentityError`] when the certificates cannot be made.
    pub(crate) fn new(addresses: &[IpAddr]) -> Result<Self, IdentityError> {
        let ca_key = KeyPair::generate()?;
        let mut ca = CertificateParams::default();
        ca.distinguished_name
            .push(DnType::CommonName, "rollout-lab");
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca.key_usages = vec![
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::DigitalSignature,
        ];
        let ca_certificate = ca.self_signed(&ca_key)?;

        let names: Vec<String> = ["localhost", "kubernetes", "kubernetes.default"]
            .into_iter()
            .map(str::to_owned)
            .chain(addresses.iter().map(IpAddr::to_string))
            .collect();
        let mut server = CertificateParams::new(names)?;
        server
            .distinguished_name
            .push(DnType::CommonName, "kube-apiserver");
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let server_key = KeyPair::generate()?;
        let server = server.signed_by(&server_key, &Issuer::new(ca, ca_key))?;

        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(server_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut tls = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![server.der().clone()], key)?;
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let token: Arc<str> = uuid::Uuid::new_v4().simple().to_string().into();
        Ok(Self {
            ca: ca_certificate.pem(),
            token,
            tls: Arc::new(tls),
        })
    }

    /// The kubeconfig for the API server at an address. JSON is YAML, so every client reads it.
    pub(crate) fn kubeconfig(&self, name: &str, address: SocketAddr) -> String {
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{
                "name": name,
                "cluster": {
                    "server": format!("https://{address}"),
                    "certificate-authority-data": BASE64.encode(&self.ca),
                },
            }],
            "users": [{"name": name, "user": {"token": &*self.token}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "current-context": name,
        });
        format!("{config:#}\n")
    }
}

/// Writes a file that only its owner can read, replacing nothing.
///
/// # Errors
/// The file exists, or cannot be written.
pub(crate) fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}
