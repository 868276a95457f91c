//! What tools that make clusters have in common.

use std::io;
use std::net::SocketAddr;
use std::path::Path;

use crate::provider::version::Version;

/// A tool that makes clusters of containers or virtual machines: what to type, and what its answers
/// mean. All of them are told the same kubeconfig by `KUBECONFIG`, which is never the user's.
pub trait Maker: Send + Sync {
    /// The name of the program, which is also the word that chooses it.
    fn name(&self) -> &'static str;

    /// How to get it.
    fn install(&self) -> &'static str;

    /// The oldest version that has what a lab needs.
    fn oldest(&self) -> Version;

    /// The engines that it can work with, the usual one first.
    fn engines(&self) -> &'static [&'static str];

    /// What a cluster of a size needs.
    fn needs(&self, size: &Size) -> Needs;

    /// Variables that make it print what can be read.
    fn environment(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    /// What it cannot do of an order, in words for the user.
    ///
    /// # Errors
    /// The option that it does not have, and what to use instead.
    fn check(&self, size: &Size) -> Result<(), String>;

    /// Makes a cluster. Files that the arguments name are written to the order's folder.
    ///
    /// # Errors
    /// Such a file cannot be written.
    fn create(&self, order: &Order<'_>) -> io::Result<Vec<String>>;

    /// Writes the kubeconfig of a cluster to a file.
    fn export(&self, name: &str, kubeconfig: &Path) -> Vec<String>;

    /// Asks whether a cluster runs, where it may be there and not run.
    fn status(&self, name: &str) -> Option<Vec<String>> {
        let _ = name;
        None
    }

    /// What of a cluster does not run, from what that prints; `None` where all does.
    ///
    /// # Errors
    /// What is wrong with it.
    fn stopped(&self, printed: &str) -> Result<Option<String>, String> {
        let _ = printed;
        Ok(None)
    }

    /// Removes a cluster.
    fn delete(&self, name: &str) -> Vec<String>;

    /// Loads an archive of images into every node.
    fn load(&self, name: &str, archive: &Path) -> Vec<String>;

    /// Lists the images of a cluster, where loading them fails without a word.
    fn images(&self, name: &str) -> Option<Vec<String>> {
        let _ = name;
        None
    }

    /// Lists the clusters that there are.
    fn list(&self) -> &'static [&'static str];

    /// The names of the clusters, from what the list prints.
    ///
    /// # Errors
    /// What is wrong with it.
    fn names(&self, printed: &str) -> Result<Vec<String>, String>;

    /// The context of a cluster.
    fn context(&self, name: &str) -> String;

    /// The part of the work that begins with a line that it prints.
    fn step<'a>(&self, line: &'a str) -> Option<&'a str>;

    /// Whether it maps the labs' node port to this machine; otherwise it has tunnels.
    fn maps_ports(&self) -> bool;
}

/// A cluster that is to be made.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    /// Its name.
    pub name: &'a str,
    /// Where this machine is to serve the labs' node port, where the tool can map it.
    pub published: SocketAddr,
    /// What it is to be like.
    pub size: &'a Size,
    /// A folder for files that the tool reads.
    pub folder: &'a Path,
}

/// What a cluster is to be like; what is not given is as the tool or this program does it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Size {
    /// How many nodes, the one of the control plane included.
    pub nodes: Option<u8>,
    /// The version of Kubernetes, such as `v1.36.2`.
    pub kubernetes_version: Option<String>,
    /// The image of the nodes.
    pub node_image: Option<String>,
    /// Whether it is to be as large as the tutorials ask for.
    pub as_in_tutorial: bool,
}

/// What a cluster needs of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    /// How many nodes it has.
    pub nodes: u8,
    /// Processors, which the nodes share.
    pub processors: u64,
    /// Mebibytes of memory that each node may use.
    pub node_memory: u64,
}

impl Needs {
    /// Mebibytes of memory that all nodes together may use.
    #[must_use]
    pub fn memory(&self) -> u64 {
        self.node_memory * u64::from(self.nodes)
    }
}

/// What nodes need that are not limited by their tool: a kubelet, what every cluster runs, and the
/// pods of a lab.
pub(super) fn needs_of(nodes: u8) -> Needs {
    /// Mebibytes of a node.
    const NODE: u64 = 700;
    Needs {
        nodes,
        processors: 2,
        node_memory: NODE,
    }
}

/// Words as arguments.
pub(super) fn words<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(str::to_owned).into()
}
