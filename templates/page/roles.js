// What each matrix is (roles.py): its role, its finer kind, the matrix that it belongs to, its layer.

const isRole = (data, id, wanted) => Object.entries(wanted).every(([key, value]) => data.roles[id]?.[key] === value);
const withRole = (data, wanted) => Object.keys(data.roles).filter((id) => isRole(data, id, wanted));
const isParameter = (data, id) => isRole(data, id, { role: "parameter" });
const updatedOf = (data, id) => withRole(data, { role: "updated", of: id })[0];
/** The activation of the last layer. */
const outputOf = (data) => withRole(data, { kind: "activation", layer: data.depth })[0];
