import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { helm } from './find-program.js';

export const root = join(import.meta.dirname, '../../../..');
export const chart = join(root, 'deploy/helm/authsec');

export interface Labels {
  readonly [name: string]: string;
}
export interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly secretKeyRef: { readonly name: string; readonly key: string } };
}
export interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string; readonly scheme?: string };
}
export interface Container {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly Variable[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
  readonly startupProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly [key: string]: unknown;
}
export interface Volume {
  readonly name: string;
  readonly secret?: { readonly secretName: string; readonly items: readonly { readonly path: string }[] };
  readonly projected?: unknown;
  readonly [kind: string]: unknown;
}
export interface PodSpec {
  readonly containers: readonly Container[];
  readonly volumes?: readonly Volume[];
  readonly serviceAccountName?: string;
  readonly automountServiceAccountToken?: boolean;
  readonly [key: string]: unknown;
}
export interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels: Labels; readonly annotations?: Labels };
  readonly data?: Labels;
  readonly spec: Record<string, any>;
}
export interface Pod {
  /** As `Deployment/authsec-manager`. */
  readonly name: string;
  readonly component: string;
  readonly labels: Labels;
  readonly spec: PodSpec;
}
export interface Values {
  readonly [name: string]: unknown;
}

export function runHelm(args: readonly string[], input = ''): { ok: boolean; output: string; complaint: string } {
  const home = join(tmpdir(), 'authsec-helm');
  const env = { ...process.env, HELM_CACHE_HOME: home, HELM_CONFIG_HOME: home, HELM_DATA_HOME: home };
  const { status, stdout, stderr, error } = spawnSync(String(helm), args, { input, env, encoding: 'utf8' });
  if (error) throw error;
  return { ok: status === 0, output: stdout, complaint: stderr };
}

export function templateText(values: Values, { release = 'authsec', from = chart } = {}): string {
  const args = ['template', release, from, '--namespace', 'authsec', '-f', '-'];
  const { ok, output, complaint } = runHelm(args, JSON.stringify(values));
  if (!ok) throw new Error(complaint);
  return output;
}

export function renderChart(values: Values, options?: { release?: string; from?: string }): Resource[] {
  // YAML as Kubernetes reads it.
  return parseAllDocuments(templateText(values, options), { version: '1.1' }).flatMap((document) => {
    if (document.errors.length > 0) throw document.errors[0]!;
    const resource = document.toJS() as Resource | null;
    return resource ? [resource] : [];
  });
}

export function podsOf(resources: readonly Resource[]): Pod[] {
  return resources.flatMap(({ kind, metadata, spec }) => {
    const template = kind === 'Pod' ? { metadata, spec } : (spec?.['template'] as Resource | undefined);
    if (!template) return [];
    const { labels } = template.metadata;
    const component = labels['app.kubernetes.io/component'] ?? '';
    return [{ name: `${kind}/${metadata.name}`, component, labels, spec: template.spec as unknown as PodSpec }];
  });
}

export function podOf(resources: readonly Resource[], component: string): Pod {
  const [pod, ...others] = podsOf(resources).filter((one) => one.component === component);
  if (!pod || others.length > 0) throw new Error(`${1 + others.length - (pod ? 0 : 1)} pods of ${component}`);
  return pod;
}

export function oneOf(resources: readonly Resource[], kind: string, name?: string): Resource {
  const found = resources.filter((one) => one.kind === kind && (!name || one.metadata.name === name));
  if (found.length !== 1) throw new Error(`${found.length} of ${kind} ${name ?? ''}`);
  return found[0]!;
}
