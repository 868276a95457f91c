# language: ja
# となりの履歴の記録元: 成り立つ、成り立たない、判定できない、の三通り。
#   cargo run -- run tests/golden/reports/mixed.ja.feature --pace 50 --publish none
機能: あらゆる結果のある実行

  @claim-000-061
  シナリオ: 成り立つ
    前提 名前空間 "app-dev" がある
    かつ 次のファイルを適用し、60 秒以内に展開が終わっている:
      | k8s/base/configmap.yaml        |
      | k8s/base/service-nodeport.yaml |
      | k8s/base/deployment-v1.yaml    |
    かつ NodePort 30000 に毎秒 100 回のリクエストが流れている
    もし "k8s/base/deployment-v2.yaml" を適用する
    ならば "user-service" のロールアウトが 60 秒以内に完了する
    かつ NodePort 30000 では "payment-service" "2.0.0" だけが応答する

  シナリオ: 成り立たない
    前提 名前空間 "app-dev" がある
    かつ 次のファイルを適用し、60 秒以内に展開が終わっている:
      | k8s/base/configmap.yaml        |
      | k8s/base/service-nodeport.yaml |
      | k8s/base/deployment-v1.yaml    |
    もし "k8s/faults/image-typo.yaml" を適用する
    ならば "user-service" のロールアウトが 60 秒以内に完了する
