// The version that every program of the project reports. A test compares it with package.json.

export const hoistVersion = '0.1.0';
