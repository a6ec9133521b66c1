import assert from 'node:assert/strict';
import test from 'node:test';
import { routes } from '../../src/api/routes.ts';
import { readContract } from './contract.ts';

const contract = readContract();

test('the contract notices what is missing, wrong and unknown', () => {
  const made = { Id: 'a', Warnings: [] };
  assert.deepEqual(contract.problems('ContainerCreate', 201, made), []);
  assert.deepEqual(contract.problems('ContainerCreate', 201, { Id: 'a' }), ['ContainerCreate.Warnings is missing']);
  assert.deepEqual(contract.problems('ContainerCreate', 201, { ...made, Id: 5 }), [
    'ContainerCreate.Id is 5, not a string',
  ]);
  assert.deepEqual(contract.problems('ContainerCreate', 201, { ...made, Extra: 1 }), [
    'ContainerCreate.Extra is no field of the API',
  ]);
  assert.deepEqual(contract.problems('ContainerCreate', 201, { ...made, Id: null }), ['ContainerCreate.Id is null']);
  assert.deepEqual(contract.problems('ContainerCreate', 409, { message: 'x' }), []);
  assert.equal(contract.problems('ContainerCreate', 409, { error: 'x' }).length, 2);
  const change = contract.problems('ContainerChanges', 200, [{ Path: '/a', Kind: 'new' }]);
  assert.equal(change.length, 1);
});

test('every operation of the contract is an endpoint', () => {
  for (const operation of contract.operations) assert.ok(Object.hasOwn(routes, operation), operation);
});
