import { describe, expect, test } from '@jest/globals';
import { helm } from './helm/find-program.js';
import { type Pod, podsOf, renderChart } from './helm/render-chart.js';
import { everything, variants } from './helm/values.js';

const suite = helm ? describe : describe.skip;

suite.each(Object.entries(variants))('the pods with %s', (_name, values) => {
  test('are what the restricted pod security standard asks for, and cannot write but to /tmp', () => {
    const pods = podsOf(renderChart(values));
    expect(pods.length).toBeGreaterThanOrEqual(2);
    for (const { spec } of pods) expectRestricted(spec);
  });

  test('have no token of Kubernetes, but the one for Vault where it logs in with it', () => {
    const byKubernetes = values === everything;
    const resources = renderChart(values);
    for (const { spec, component } of podsOf(resources)) {
      expect(spec.automountServiceAccountToken).toBe(false);
      const tokens = (spec.volumes ?? []).filter(({ projected }) => projected);
      expect(tokens).toEqual(
        byKubernetes && ['manager', 'migrate', 'bootstrap'].includes(component) ? [vaultToken] : [],
      );
    }
    for (const account of resources.filter(({ kind }) => kind === 'ServiceAccount')) {
      expect(account).toMatchObject({ automountServiceAccountToken: false });
    }
    expect(resources.filter(({ kind }) => /Role/.test(kind))).toEqual([]);
  });

  test('read secrets from files that are theirs alone', () => {
    const secrets = podsOf(renderChart(values)).flatMap(({ spec }) =>
      (spec.volumes ?? []).filter(({ secret }) => secret),
    );
    for (const { secret } of secrets) expect(secret).toMatchObject({ defaultMode: 0o440 });
    expect(secrets.length > 0 || 'volume' in (values['secrets'] as object)).toBe(true);
  });

  test('say what they need, and mount each volume that they have', () => {
    for (const { spec } of podsOf(renderChart(values))) {
      for (const { resources, volumeMounts = [] } of spec.containers) {
        const some = { cpu: expect.any(String), memory: expect.any(String) };
        expect(resources).toMatchObject({ requests: some, limits: { memory: expect.any(String) } });
        expect(volumeMounts.map(({ name }) => name).sort()).toEqual(
          (spec.volumes ?? []).map(({ name }) => name).sort(),
        );
        const writable = volumeMounts.filter(({ readOnly }) => !readOnly).map(({ mountPath }) => mountPath);
        expect(writable.filter((path) => path !== '/tmp')).toEqual([]);
      }
    }
  });
});

const vaultToken = {
  name: 'vault-token',
  projected: {
    defaultMode: 0o440,
    sources: [{ serviceAccountToken: { path: 'token', audience: 'vault', expirationSeconds: 3600 } }],
  },
};

function expectRestricted(pod: Pod['spec']): void {
  expect(pod['securityContext']).toMatchObject({
    runAsNonRoot: true,
    runAsUser: 65_532,
    seccompProfile: { type: 'RuntimeDefault' },
  });
  expect(pod['initContainers'] ?? pod['ephemeralContainers']).toBeUndefined();
  for (const container of pod.containers) {
    expect(container['securityContext']).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    for (const port of container.ports ?? []) expect(port).not.toHaveProperty('hostPort');
  }
  for (const forbidden of ['hostNetwork', 'hostPID', 'hostIPC']) expect(pod[forbidden]).toBeUndefined();
  const kinds = (pod.volumes ?? []).flatMap((volume) => Object.keys(volume).filter((key) => key !== 'name'));
  const harmless = ['configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'projected', 'secret'];
  expect(kinds.filter((kind) => !harmless.includes(kind))).toEqual([]);
}
