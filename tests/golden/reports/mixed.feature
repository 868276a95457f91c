# What the histories beside this file were recorded from: one scenario holds, one does not, one cannot be judged.
#   cargo run -- run tests/golden/reports/mixed.feature --pace 50 --publish none
Feature: A run with every outcome

  @claim-000-061
  Scenario: It holds
    Given the namespace "app-dev"
    And these files are applied and rolled out within 60 seconds:
      | k8s/base/configmap.yaml        |
      | k8s/base/service-nodeport.yaml |
      | k8s/base/deployment-v1.yaml    |
    And requests flow to node port 30000 at 100 per second
    When I apply "k8s/base/deployment-v2.yaml"
    Then the rollout of "user-service" completes within 60 seconds
    And only "payment-service" "2.0.0" answers on node port 30000
    And the rollout of "user-service" kept within maxSurge 1 and maxUnavailable 1

  Scenario: It does not hold
    Given the namespace "app-dev"
    And these files are applied and rolled out within 60 seconds:
      | k8s/base/configmap.yaml        |
      | k8s/base/service-nodeport.yaml |
      | k8s/base/deployment-v1.yaml    |
    When I apply "k8s/faults/image-typo.yaml"
    Then the rollout of "user-service" completes within 60 seconds

  Scenario: It cannot be judged
    Given the namespace "app-dev"
    And these files are applied and rolled out within 60 seconds:
      | k8s/base/configmap.yaml     |
      | k8s/base/deployment-v1.yaml |
    When I apply "k8s/base/deployment-v2.yaml"
    Then the rollout of "user-service" completes within 60 seconds
    And both versions of "user-service" answered during the update
