# language: ja
# メインのチュートリアル: 一つの Deployment を NodePort の背後で user-service から payment-service へ更新する。
# タグは、そのシナリオが確かめるチュートリアルの主張を示す。
@tutorial-000
機能: user-service から payment-service へのローリングアップデート

  背景:
    前提 Ready なノードが 1 個以上あるクラスタ
    かつ 名前空間 "app-dev" がある

  @claim-000-005 @claim-000-006 @claim-000-008 @claim-000-010 @claim-000-041 @claim-000-042
  @claim-000-043 @claim-000-044 @claim-000-045 @claim-000-048 @claim-000-079 @claim-000-080
  シナリオ: バージョン 1 を展開し、NodePort で応答する
    もし "k8s/base/configmap.yaml" を適用する
    かつ "k8s/base/deployment-v1.yaml" を適用する
    かつ "k8s/base/service-nodeport.yaml" を適用する
    ならば "user-service" のロールアウトが 300 秒以内に完了する
    かつ "user-service" の Pod 3 個が再起動なしで Ready になっている
    かつ NodePort 30000 では "user-service" "1.0.0" だけが応答する

  @claim-000-004 @claim-000-007 @claim-000-011 @claim-000-012 @claim-000-013 @claim-000-050
  @claim-000-057 @claim-000-060 @claim-000-083 @claim-000-084 @claim-000-101 @claim-000-105
  シナリオ: リクエストを受けながらバージョン 2 に入れ替わる
    前提 次のファイルを適用し、300 秒以内に展開が終わっている:
      | k8s/base/configmap.yaml        |
      | k8s/base/service-nodeport.yaml |
      | k8s/base/deployment-v1.yaml    |
    かつ NodePort 30000 に毎秒 200 回のリクエストが流れている
    もし "k8s/base/deployment-v2.yaml" を適用する
    ならば "user-service" のロールアウトが 300 秒以内に完了する
    かつ NodePort 30000 では "payment-service" "2.0.0" だけが応答する
    かつ "user-service" の Pod がローリングアップデートの状態を順にたどった
    かつ 更新中、"user-service" の両方のバージョンが応答した
    かつ "user-service" のロールアウトは maxSurge 1、maxUnavailable 1 の範囲に収まった
    かつ 更新中の "user-service" の可用性を報告する
    かつ "user-service" の有効な ReplicaSet は一つで、ほかには何も残っていない

  @claim-000-063 @claim-000-094 @claim-000-096 @claim-000-107 @claim-000-108
  シナリオ: 更新を取り消す
    前提 次のファイルを適用し、300 秒以内に展開が終わっている:
      | k8s/base/configmap.yaml        |
      | k8s/base/service-nodeport.yaml |
      | k8s/base/deployment-v1.yaml    |
    かつ 次のファイルを適用し、300 秒以内に展開が終わっている:
      | k8s/base/deployment-v2.yaml |
    もし "user-service" のロールアウトを取り消す
    ならば "user-service" の取り消しが 300 秒以内に完了する
    かつ NodePort 30000 では "user-service" "1.0.0" だけが応答する

  @claim-000-014 @claim-000-056 @claim-000-097
  シナリオ: すべてを片付ける
    前提 次のファイルを適用し、300 秒以内に展開が終わっている:
      | k8s/base/configmap.yaml        |
      | k8s/base/service-nodeport.yaml |
      | k8s/base/deployment-v1.yaml    |
    もし 名前空間を削除する
    ならば 120 秒後には何も残らず、NodePort 30000 が空いている

  # チュートリアルは三度「無停止」と述べるが、そのマニフェストには readinessProbe がなく、
  # Pod は待ち受ける前にリクエストを受ける。
  @claim-000-002 @claim-000-061 @claim-000-075 @claim-000-082 @serial
  シナリオ: 掲載のマニフェストでは無停止で更新できない
    前提 次のファイルを適用し、300 秒以内に展開が終わっている:
      | k8s/base/configmap.yaml        |
      | k8s/base/service-nodeport.yaml |
      | k8s/base/deployment-v1.yaml    |
    かつ ペースは最大 1 である
    かつ NodePort 30000 に毎秒 300 回のリクエストが流れている
    もし "k8s/base/deployment-v2.yaml" を適用する
    ならば "user-service" のロールアウトが 300 秒以内に完了する
    かつ NodePort 30000 では "payment-service" "2.0.0" だけが応答する
    かつ 更新中、"no-readiness-probe" のため "user-service" へのリクエストが失敗した

  @claim-000-061 @serial
  シナリオ: readinessProbe と preStop の待ちがあれば一つも失敗しない
    前提 次のファイルを適用し、300 秒以内に展開が終わっている:
      | k8s/base/configmap.yaml              |
      | k8s/base/service-nodeport.yaml       |
      | k8s/zero-downtime/deployment-v1.yaml |
    かつ ペースは最大 5 である
    かつ NodePort 30000 に毎秒 300 回のリクエストが流れている
    もし "k8s/zero-downtime/deployment-v2.yaml" を適用する
    ならば "user-service" のロールアウトが 300 秒以内に完了する
    かつ NodePort 30000 では "payment-service" "2.0.0" だけが応答する
    かつ "user-service" のロールアウトは maxSurge 1、maxUnavailable 0 の範囲に収まった
    かつ 更新中、"user-service" へのリクエストは一つも失敗しなかった
