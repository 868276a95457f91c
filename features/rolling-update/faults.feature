# Faults, to prove that each criterion can fail: it must find the fault, name its cause, and no
# other criterion may fail with it.
@fault
Feature: Seeded faults of the rolling update are found

  Background:
    Given a cluster with at least 1 ready nodes
    And the namespace "app-dev"

  Scenario: The Service selects no pod
    When I apply "k8s/base/configmap.yaml"
    And I apply "k8s/faults/wrong-selector.yaml"
    And I apply "k8s/base/deployment-v1.yaml"
    Then of the deployment's criteria only "only-answers" fails within 20 seconds, because of "wrong-selector"

  Scenario: The Service sends to a port on which nothing listens
    When I apply "k8s/base/configmap.yaml"
    And I apply "k8s/faults/wrong-target-port.yaml"
    And I apply "k8s/base/deployment-v1.yaml"
    Then of the deployment's criteria only "only-answers" fails within 20 seconds, because of "wrong-target-port"

  @claim-000-112
  Scenario: The ConfigMap is missing
    When I apply "k8s/base/service-nodeport.yaml"
    And I apply "k8s/faults/missing-configmap.yaml"
    Then of the deployment's criteria only "rollout-complete" fails within 60 seconds, because of "missing-configmap"

  Scenario: The image does not exist
    When I apply "k8s/base/configmap.yaml"
    And I apply "k8s/base/service-nodeport.yaml"
    And I apply "k8s/faults/image-typo.yaml"
    Then of the deployment's criteria only "rollout-complete" fails within 60 seconds, because of "image-pull"

  Scenario: The service crashes at its start
    When I apply "k8s/base/service-nodeport.yaml"
    And I apply "k8s/faults/crash-at-start.yaml"
    Then of the deployment's criteria only "rollout-complete" fails within 60 seconds, because of "crash-at-start"

  Scenario: The strategy lets all pods go at once
    Given the pace is at most 5
    And these files are applied and rolled out within 300 seconds:
      | k8s/base/configmap.yaml        |
      | k8s/base/service-nodeport.yaml |
      | k8s/base/deployment-v1.yaml    |
    And requests flow to node port 30000 at 200 per second
    When I apply "k8s/faults/max-unavailable.yaml"
    Then of the update's criteria only "envelope" fails within 60 seconds, because of "max-unavailable"

  Scenario: Version 2 answers as version 1
    Given the pace is at most 5
    And these files are applied and rolled out within 300 seconds:
      | k8s/base/configmap.yaml        |
      | k8s/base/service-nodeport.yaml |
      | k8s/base/deployment-v1.yaml    |
    And requests flow to node port 30000 at 200 per second
    When I apply "k8s/faults/answers-as-v1.yaml"
    Then of the update's criteria only "only-answers" fails within 60 seconds, because of "wrong-service"

  Scenario: A finalizer holds the namespace
    Given these files are applied and rolled out within 300 seconds:
      | k8s/base/configmap.yaml     |
      | k8s/base/deployment-v1.yaml |
    When I apply "k8s/faults/held-configmap.yaml"
    And I delete the namespace
    Then the clean-up fails within 12 seconds, because of "finalizer"
