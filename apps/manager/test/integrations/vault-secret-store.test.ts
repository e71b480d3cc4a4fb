import { provisionVault } from '../../src/integrations/vault/provision-vault.js';
import { createVaultSecretStore } from '../../src/integrations/vault/vault-secret-store.js';
import { secretStoreContract } from './secret-store-contract.js';
import { describeVault, openCountingProxy, openVault, settingsFor, silent, until } from './vault-under-test.js';

describeVault('secrets in a real Vault', () => {
  secretStoreContract('Vault', async () => {
    const vault = await openVault();
    const login = await provisionVault({ ...vault, token: vault.rootToken }, vault.plan);
    const proxy = await openCountingProxy(vault.address);
    const settings = settingsFor({ ...vault, address: proxy.address }, login);
    const store = await createVaultSecretStore(settings, { logger: silent });
    await until('it is seen to be well', () => store.health().status === 'ok');
    return {
      store,
      tenants: ['acme', 'beta'],
      // Beside what it asks for its own health.
      requests: () => proxy.seen.filter(({ path }) => !/sys\/health|lookup-self/.test(path)).length,
      async close() {
        await store.close();
        await proxy.close();
        await vault.stop();
      },
    };
  });
});
