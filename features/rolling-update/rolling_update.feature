# The main tutorial: one Deployment rolls from user-service to payment-service behind a NodePort.
# The tags name the claims of the tutorial that a scenario checks.
@tutorial-000
Feature: A rolling update from user-service to payment-service

  Background:
    Given a cluster with at least 1 ready nodes
    And the namespace "app-dev"

  @claim-000-005 @claim-000-006 @claim-000-008 @claim-000-010 @claim-000-041 @claim-000-042
  @claim-000-043 @claim-000-044 @claim-000-045 @claim-000-048 @claim-000-079 @claim-000-080
  Scenario: Version 1 is deployed and answers on the node port
    When I apply "k8s/base/configmap.yaml"
    And I apply "k8s/base/deployment-v1.yaml"
    And I apply "k8s/base/service-nodeport.yaml"
    Then the rollout of "user-service" completes within 300 seconds
    And 3 pods of "user-service" are ready without a restart
    And only "user-service" "1.0.0" answers on node port 30000

  @claim-000-004 @claim-000-007 @claim-000-011 @claim-000-012 @claim-000-013 @claim-000-050
  @claim-000-057 @claim-000-060 @claim-000-083 @claim-000-084 @claim-000-101 @claim-000-105
  Scenario: Version 2 takes over under traffic
    Given these files are applied and rolled out within 300 seconds:
      | k8s/base/configmap.yaml        |
      | k8s/base/service-nodeport.yaml |
      | k8s/base/deployment-v1.yaml    |
    And requests flow to node port 30000 at 200 per second
    When I apply "k8s/base/deployment-v2.yaml"
    Then the rollout of "user-service" completes within 300 seconds
    And only "payment-service" "2.0.0" answers on node port 30000
    And the pods of "user-service" went through the states of a rolling update
    And both versions of "user-service" answered during the update
    And the rollout of "user-service" kept within maxSurge 1 and maxUnavailable 1
    And the availability of "user-service" during the update is reported
    And one ReplicaSet of "user-service" is active and nothing is left of the others

  @claim-000-063 @claim-000-094 @claim-000-096 @claim-000-107 @claim-000-108
  Scenario: The update is undone
    Given these files are applied and rolled out within 300 seconds:
      | k8s/base/configmap.yaml        |
      | k8s/base/service-nodeport.yaml |
      | k8s/base/deployment-v1.yaml    |
    And these files are applied and rolled out within 300 seconds:
      | k8s/base/deployment-v2.yaml |
    When I undo the rollout of "user-service"
    Then the undo of "user-service" completes within 300 seconds
    And only "user-service" "1.0.0" answers on node port 30000

  @claim-000-014 @claim-000-056 @claim-000-097
  Scenario: Everything is cleaned up
    Given these files are applied and rolled out within 300 seconds:
      | k8s/base/configmap.yaml        |
      | k8s/base/service-nodeport.yaml |
      | k8s/base/deployment-v1.yaml    |
    When I delete the namespace
    Then nothing is left after 120 seconds, and node port 30000 is free

  # The tutorial says three times that nobody notices the update. Its own manifests have no
  # readinessProbe, so a pod gets requests before it listens.
  @claim-000-002 @claim-000-061 @claim-000-075 @claim-000-082 @serial
  Scenario: The printed manifests do not update without downtime
    Given these files are applied and rolled out within 300 seconds:
      | k8s/base/configmap.yaml        |
      | k8s/base/service-nodeport.yaml |
      | k8s/base/deployment-v1.yaml    |
    And the pace is at most 1
    And requests flow to node port 30000 at 300 per second
    When I apply "k8s/base/deployment-v2.yaml"
    Then the rollout of "user-service" completes within 300 seconds
    And only "payment-service" "2.0.0" answers on node port 30000
    And requests to "user-service" failed during the update because of "no-readiness-probe"

  @claim-000-061 @serial
  Scenario: With a readiness probe and a preStop sleep not one request fails
    Given these files are applied and rolled out within 300 seconds:
      | k8s/base/configmap.yaml              |
      | k8s/base/service-nodeport.yaml       |
      | k8s/zero-downtime/deployment-v1.yaml |
    And the pace is at most 5
    And requests flow to node port 30000 at 300 per second
    When I apply "k8s/zero-downtime/deployment-v2.yaml"
    Then the rollout of "user-service" completes within 300 seconds
    And only "payment-service" "2.0.0" answers on node port 30000
    And the rollout of "user-service" kept within maxSurge 1 and maxUnavailable 0
    And not one request to "user-service" failed during the update
